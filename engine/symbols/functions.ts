import type { Die } from './die';
import { AT, TAG } from './dwarf';
import { inCode, type ElfFile } from './elf';
import type { DebugInfo } from './info';
import { contains, rangesOf, type AddressRange } from './ranges';
import type { Unit } from './unit';

/** A place in the tree of functions, inlined copies and blocks. */
export interface Scope {
  /** DW_TAG_subprogram. */
  function: Die;
  /** Copies inlined there, the outermost first. */
  inlined: Die[];
  /** All from the function to the innermost block, blocks of inlined copies among them. */
  chain: Die[];
}

interface Span<T> extends AddressRange {
  value: T;
}

/** Finds functions by address; units are read when an address in them is first asked for. */
export class FunctionIndex {
  private unitSpans: Spans<Unit> | undefined;
  private readonly functions = new Map<Unit, Spans<Die>>();

  constructor(
    private readonly elf: ElfFile,
    private readonly info: DebugInfo,
  ) {}

  scopeAt(address: bigint): Scope | undefined {
    const found = this.functionAt(address);
    if (!found) return undefined;
    const scope: Scope = { function: found, inlined: [], chain: [found] };
    for (let inner = innerAt(found, address); inner; inner = innerAt(inner, address)) {
      scope.chain.push(inner);
      if (inner.tag === TAG.inlinedSubroutine) scope.inlined.push(inner);
    }
    return scope;
  }

  /** The function's DIE. */
  functionAt(address: bigint): Die | undefined {
    const units = (this.unitSpans ??= new Spans(this.readUnitSpans()));
    const covering = units.at(address).flatMap(({ value: unit }) => this.functionsOf(unit).at(address));
    // The assembler's own units may claim too much, their sizes being from before linker relaxation; the function that begins last is right.
    return covering.sort((a, b) => (a.start < b.start ? 1 : a.start > b.start ? -1 : 0))[0]?.value;
  }

  private readUnitSpans(): Span<Unit>[] {
    return this.info.units.flatMap((unit) => {
      if (unit.root.tag !== TAG.compileUnit) return [];
      const ranges = rangesOf(unit.root);
      // A unit may leave its addresses to its functions.
      const spans: readonly AddressRange[] = ranges.length > 0 ? ranges : this.functionsOf(unit).list;
      return spans.map(({ start, end }) => ({ start, end, value: unit }));
    });
  }

  private functionsOf(unit: Unit): Spans<Die> {
    let spans = this.functions.get(unit);
    if (!spans) this.functions.set(unit, (spans = new Spans(this.readFunctions(unit))));
    return spans;
  }

  private readFunctions(unit: Unit): Span<Die>[] {
    const spans: Span<Die>[] = [];
    const open = [unit.dies];
    for (let die = open.pop(); die; die = open.pop()) {
      if (die.tag === TAG.subprogram) {
        for (const { start, end } of rangesOf(die)) {
          // The linker leaves the functions that it threw away at address 0.
          if (inCode(this.elf, start)) spans.push({ start, end, value: die });
        }
      }
      for (const child of die.children) open.push(child);
    }
    return spans;
  }
}

/** The block or inlined copy below `die` that covers the address. */
function innerAt(die: Die, address: bigint): Die | undefined {
  return die.children.find((child) => (child.tag === TAG.lexicalBlock || child.tag === TAG.inlinedSubroutine) && contains(rangesOf(child), address));
}

/** Parts of one name at most: nobody reads more, and damage may nest any number. */
const MAX_NAME_PARTS = 64;

/** A name as its language writes it: with the namespaces and classes around it. */
export function qualifiedName(die: Die): string | undefined {
  const named = die.owner(AT.name);
  const name = named?.string(AT.name);
  if (!named || !name) return undefined;
  const parts = [name];
  const outer: readonly number[] = [TAG.namespace, TAG.module, TAG.classType, TAG.structureType, TAG.unionType, TAG.enumerationType];
  for (let parent = named.parent; parent && outer.includes(parent.tag) && parts.length < MAX_NAME_PARTS; parent = parent.parent) {
    const part = parent.string(AT.name);
    if (part) parts.unshift(part);
  }
  return parts.join('::');
}

/** Ranges that may nest or overlap, searched by address. */
class Spans<T> {
  readonly list: readonly Span<T>[];
  private readonly reach: bigint[] = [];

  constructor(spans: Span<T>[]) {
    this.list = spans.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
    let reach = 0n;
    for (const { end } of this.list) this.reach.push((reach = end > reach ? end : reach));
  }

  at(address: bigint): Span<T>[] {
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.list[middle]!.start <= address) low = middle + 1;
      else high = middle;
    }
    const found: Span<T>[] = [];
    for (let index = low - 1; index >= 0 && this.reach[index]! > address; index--) {
      if (address < this.list[index]!.end) found.push(this.list[index]!);
    }
    return found;
  }
}
