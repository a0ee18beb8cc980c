import type { GuestPlan, InputClass } from '../../engine/covert/plan';
import type { Context } from './context';
import * as ast from './generated/ast';
import { leaveOut, remove } from './mends';

/** What becomes of each class of input where it is left uncoordinated: hovers and completion show it. */
export const inputWords: Readonly<Record<InputClass, string>> = {
  time: "`time` and the CLINT's mtime are read from the core's own clock.",
  cycle: "`cycle` is read from the core's own clock.",
  rtc: "The real-time clock and its alarm go by the core's own clock.",
  interrupts: "Timers and devices interrupt each replica at the next tick of its core's own clock.",
  entropy: "Random numbers come from a source of the core's own.",
  disk: 'Each replica sees the end of a disk transfer at a count of its own.',
  console: 'Each typed byte reaches each replica at a count of its own before they meet again.',
  network: 'Each frame reaches each replica at a count of its own before they meet again, in any order.',
  reservations: 'Each core loses the reservation of one conditional store (`sc`) in 32.',
};

/** What a guest lacks for a class of input to come to it, and what gives it that; undefined where it has it. */
function lackOf(input: InputClass, { network, linux, entropy, disks, typing = [] }: GuestPlan): string | undefined {
  switch (input) {
    case 'network':
      return network ? undefined : `has no network card: ${linux ? 'say `forward …`' : 'a Linux guest gets one by `forward …`'}`;
    case 'console':
      return typing.length > 0 ? undefined : 'is typed nothing: say `on console "…" type "…"`';
    case 'disk':
      return (disks ?? []).length > 0 ? undefined : 'has no disk: say `disk "…"`';
    case 'entropy':
      return linux || entropy ? undefined : 'has no source of random numbers: say `entropy`';
    // Each core has these.
    case 'time':
    case 'cycle':
    case 'rtc':
    case 'interrupts':
    case 'reservations':
      return undefined;
  }
}

/** Warns of classes of input that are left uncoordinated and that the guest does not have. */
export function reportMissingInputs(protection: ast.Protection, guest: GuestPlan, { reporter }: Context): void {
  for (const { $cstNode, name, $container, $containerIndex } of protection.settings.filter(ast.isUncoordinated).flatMap(({ inputs }) => inputs)) {
    const lack = name in inputWords ? lackOf(name as InputClass, guest) : undefined;
    const [fix] = $container.inputs.length > 1 ? leaveOut($container.inputs, $containerIndex) : remove($container.$cstNode, 'Remove it');
    if (lack !== undefined) reporter.warning('COV608', $cstNode, `\`${name}\` changes nothing here: guest ${guest.name} ${lack}`, fix ? [fix] : []);
  }
}
