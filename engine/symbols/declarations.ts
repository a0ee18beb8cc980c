import type { Die } from './die';
import { AT, TAG } from './dwarf';
import type { DebugInfo } from './info';
import type { LineTable } from './line-table';
import { isAggregate, isPointer, stripType, typeOf } from './type';
import type { SourceLocation } from './types';

/** DW_OP_addr (DWARF 5, 7.7.1): what follows is the address. */
const OP_ADDR = 0x03;
/** Pointers, arrays and structures followed one into the other; damage may close them to a ring. */
const maxDepth = 32;
/** So many structures without a name one has within it; more would be calls within calls. */
const mostTypes = 200;

/** Where the source declares functions, variables of the program, their members and types: DW_AT_decl_file and DW_AT_decl_line. */
export class Declarations {
  #named: Map<string, Die[]> | undefined;
  #locals: Set<string> | undefined;

  constructor(
    private readonly info: DebugInfo,
    private readonly lines: () => LineTable,
  ) {}

  /** Of a function or a variable, or of the member that a path of names leads to from a variable; of several with one name, that at the address. */
  declarationOf(name: string, address: bigint | undefined, members: readonly string[]): SourceLocation | undefined {
    const die = this.#find(name, address, members);
    return die && this.#placeOf(die);
  }

  /** Of the type of a variable, or of such a member: of the structure, union or enumeration behind pointers and arrays, or else of the last name that it has. */
  typeDeclarationOf(name: string, address: bigint | undefined, members: readonly string[]): SourceLocation | undefined {
    const die = this.#find(name, address, members);
    let found: SourceLocation | undefined;
    let type = die && typeOf(die);
    for (let depth = 0; type && depth < maxDepth; depth++) {
      const complete: Die = type.flag(AT.declaration) ? (this.info.definitionOf(type) ?? type) : type;
      found = this.#placeOf(complete) ?? found;
      type = typeOf(complete);
    }
    return found;
  }

  /** True of the parameters and variables of functions, which have a place only while these run. */
  isLocal(name: string): boolean {
    if (!this.#locals) {
      this.#locals = new Set();
      const open: Die[] = this.info.units.map((unit) => unit.dies);
      for (let die = open.pop(); die; die = open.pop()) {
        for (const child of die.children) {
          const isOfFunction = child.tag === TAG.formalParameter || (child.tag === TAG.variable && die.tag !== TAG.compileUnit && die.tag !== TAG.namespace);
          if (isOfFunction && child.name !== undefined) this.#locals.add(child.name);
          open.push(child);
        }
      }
    }
    return this.#locals.has(name);
  }

  #find(name: string, address: bigint | undefined, members: readonly string[]): Die | undefined {
    this.#named ??= this.#read();
    const all = this.#named.get(name) ?? [];
    let die = (address === undefined ? undefined : all.find((each) => addressOf(each) === address)) ?? all.find((each) => !each.flag(AT.declaration)) ?? all[0];
    for (const member of members) die = die && this.#memberOf(typeOf(die), member, new Set());
    return die;
  }

  /** The member of a structure, or of one without a name within it; of damaged structures that hold each other each is looked at once. */
  #memberOf(type: Die | undefined, name: string, seen: Set<Die>): Die | undefined {
    let whole = stripType(type);
    for (let steps = 0; whole && (isPointer(whole) || whole.tag === TAG.arrayType) && steps < maxDepth; steps++) whole = stripType(typeOf(whole));
    if (whole?.flag(AT.declaration)) whole = this.info.definitionOf(whole);
    if (!whole || !isAggregate(whole) || seen.has(whole) || seen.size === mostTypes) return undefined;
    seen.add(whole);
    for (const child of whole.children) {
      if (child.tag !== TAG.member) continue;
      if (child.name === name) return child;
      const inner = child.name === undefined ? this.#memberOf(typeOf(child), name, seen) : undefined;
      if (inner) return inner;
    }
    return undefined;
  }

  /** What stands outside of functions, by name. */
  #read(): Map<string, Die[]> {
    const named = new Map<string, Die[]>();
    for (const unit of this.info.units) {
      const open = [unit.dies];
      for (let die = open.shift(); die; die = open.shift()) {
        for (const child of die.children) {
          if (child.tag === TAG.namespace || child.tag === TAG.module) open.push(child);
          if ((child.tag !== TAG.variable && child.tag !== TAG.subprogram) || child.name === undefined) continue;
          const before = named.get(child.name);
          if (before) before.push(child);
          else named.set(child.name, [child]);
        }
      }
    }
    return named;
  }

  #placeOf(die: Die): SourceLocation | undefined {
    const holder = die.owner(AT.declLine);
    const line = holder?.number(AT.declLine);
    const file = holder?.owner(AT.declFile)?.number(AT.declFile);
    const program = holder?.unit.root.sectionOffset(AT.stmtList);
    if (line === undefined || line === 0 || file === undefined || program === undefined) return undefined;
    const path = this.lines().pathOf(program, file);
    return path === undefined ? undefined : { file: path, line, column: holder?.number(AT.declColumn) ?? 0 };
  }
}

/** Where a function begins, or a variable of the program is. */
function addressOf(die: Die): bigint | undefined {
  if (die.tag === TAG.subprogram) return die.span?.start;
  const location = die.block(AT.location);
  return location?.[0] === OP_ADDR && location.length === 9 ? new DataView(location.buffer, location.byteOffset).getBigUint64(1, true) : undefined;
}
