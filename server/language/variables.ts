import type { Symbols, Variable } from '../../engine/symbols/types';
import { placedGlobals } from '../../engine/symbols/variable-at';

/** The variable that the debug information has at a symbol's address; undefined where it has none. */
export function globalOf(symbols: Symbols, name: string): Variable | undefined {
  const address = symbols.find(name)?.address;
  return placedGlobals(symbols).find((variable) => variable.name === name && variable.address === address);
}

/** The members of a structure or union; none of what is neither, a pointer's target among them. */
export function membersOf({ type, children }: Variable): Variable[] {
  return type.endsWith('*') || type.endsWith(']') ? [] : (children?.() ?? []);
}

/** The first element of an array and how many there are, where that is known. */
export function elementsOf(variable: Variable): { first: Variable; length: number | undefined } | undefined {
  const first = variable.type.endsWith(']') ? firstOf(variable.children?.() ?? []) : undefined;
  if (!first?.size) return undefined;
  return { first, length: variable.size === undefined ? undefined : Math.floor(variable.size / first.size) };
}

/** Long arrays are listed in groups, and groups of groups. */
function firstOf(children: readonly Variable[]): Variable | undefined {
  let [first] = children;
  while (first && first.name !== '[0]') first = first.children?.()[0];
  return first;
}

/** A step from a variable into it: to a member, or to whichever element of an array. */
export type Step = { member: string } | 'element';

/** The part of a variable that steps lead to, an element standing for all of its array; undefined where there is none. */
export function partOf(variable: Variable | undefined, steps: readonly Step[]): Variable | undefined {
  return steps.reduce<Variable | undefined>((whole, step) => {
    if (!whole) return undefined;
    return step === 'element' ? elementsOf(whole)?.first : membersOf(whole).find(({ name }) => name === step.member);
  }, variable);
}
