import type { Die } from './die';
import { AT } from './dwarf';
import { qualifiedName, type FunctionIndex, type Scope } from './functions';
import type { LineTable } from './line-table';
import type { SymbolTable } from './symbol-table';
import type { Frame, FrameReader, SourceLocation } from './types';
import type { Activation, Unwinder } from './unwind';

/** A frame with what finding its variables needs. */
export interface FrameContext {
  frame: Frame;
  /** All physical frames from here on outward; the first is this frame's own. */
  activations: readonly Activation[];
  scope: Scope | undefined;
  /** The function or inlined copy that this frame is of. */
  die: Die | undefined;
}

/** Physical frames with the copies inlined in them, at most `limit`, innermost first. */
export function framesOf(reader: FrameReader, limit: number, unwinder: Unwinder, functions: FunctionIndex, lines: LineTable, symbols: SymbolTable): FrameContext[] {
  const contexts: FrameContext[] = [];
  const all = unwinder.activations(reader, limit);
  for (let index = 0; index < all.length && contexts.length < limit; index++) {
    const activation = all[index]!;
    const { pc, cfa, lookup } = activation;
    const scope = functions.scopeAt(lookup);
    const activations = all.slice(index);
    // A caller's location is where the inner copy was inlined; only the innermost has the line of the address.
    let location = lines.rowAt(lookup)?.location;
    const dies: (Die | undefined)[] = scope ? [...scope.inlined].reverse() : [];
    dies.push(scope?.function);
    dies.forEach((die, depth) => {
      const name = (die && qualifiedName(die)) ?? symbols.at(lookup)?.name;
      const frame: Frame = {
        pc,
        cfa,
        inlined: depth < dies.length - 1,
        ...(name !== undefined && { function: name }),
        ...(location && { location }),
      };
      contexts.push({ frame, activations, scope, die });
      location = die && callSite(die, lines);
    });
  }
  return contexts.slice(0, limit);
}

/** Where an inlined copy was called from. */
function callSite(die: Die, lines: LineTable): SourceLocation | undefined {
  const program = die.unit.root.sectionOffset(AT.stmtList);
  const file = die.number(AT.callFile);
  const line = die.number(AT.callLine);
  if (program === undefined || file === undefined || line === undefined) return undefined;
  const path = lines.pathOf(program, file);
  return path === undefined ? undefined : { file: path, line, column: die.number(AT.callColumn) ?? 0 };
}
