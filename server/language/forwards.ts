import type { ForwardPlan } from '../../engine/covert/plan';
import type { Context } from './context';
import { part } from './diagnostic';
import type * as ast from './generated/ast';
import { integer, oneOf } from './measures';

const mostPort = 65_535;

/** A guest's forwarded ports; what is wrong with them is reported. */
export function lowerForwards(forwards: readonly ast.Forward[], context: Context): ForwardPlan[] {
  const known = new Map<string, ast.Forward>();
  return forwards.flatMap((forward) => {
    const plan = lowerForward(forward, context);
    if (!plan) return [];
    const listener = `${plan.protocol} ${plan.host}:${plan.port}`;
    const earlier = known.get(listener);
    if (!earlier) {
      known.set(listener, forward);
      return [plan];
    }
    const line = (earlier.$cstNode?.range.start.line ?? 0) + 1;
    context.reporter.error('COV205', part(forward, 'port'), `\`${listener}\` is already forwarded in line ${line}`, [], part(earlier, 'port'));
    return [];
  });
}

function lowerForward(forward: ast.Forward, context: Context): ForwardPlan | undefined {
  const protocol = oneOf(context, part(forward, 'protocol'), forward.protocol, ['tcp', 'udp'] as const, 'protocol');
  const host = loopback(forward, context);
  // Port 0 would be one that nobody knows.
  const port = integer(context, forward, 'port', { least: 1, most: mostPort, what: 'a port' });
  const guestPort = integer(context, forward, 'guestPort', { least: 1, most: mostPort, what: 'a port' });
  if (protocol === undefined || host === undefined || port === undefined || guestPort === undefined) return undefined;
  return { protocol, host, port, guestPort };
}

/** An address that only this machine can reach, without leading zeros. */
function loopback(forward: ast.Forward, { reporter }: Context): string | undefined {
  const numbers = forward.address.split('.').map(Number);
  if (numbers[0] === 127 && numbers.every((number) => number <= 255)) return numbers.join('.');
  reporter.error('COV106', part(forward, 'address'), `only addresses of this machine's loopback can be forwarded, 127.0.0.0 to 127.255.255.255, not ${forward.address}`);
  return undefined;
}
