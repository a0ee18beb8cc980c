import { readAt, type Die } from './die';
import { AT, TAG } from './dwarf';
import { evaluate, locate, type ExpressionContext } from './expression';
import type { FrameContext } from './frames';
import type { FunctionIndex } from './functions';
import type { DebugInfo } from './info';
import { unsignedOf } from './format';
import { expressionAt } from './ranges';
import { absent, fixed, storageOf, type Storage } from './storage';
import { sizeOf, typeOf, valueTypeOf } from './type';
import type { FrameReader, Variable } from './types';
import type { Unit } from './unit';
import type { Activation } from './unwind';
import { makeVariable, type ValueContext } from './values';

/** What a frame's variables need beside the frame. */
export interface VariableSources {
  reader: FrameReader;
  functions: FunctionIndex;
  readonly registerName: (number: number) => string;
  readonly describe: (address: bigint) => string | undefined;
  /** Values at entry looked up so far. */
  entryValues: number;
}

/** Each may ask for more of them in the caller; damage may make that a tree. */
const MAX_ENTRY_VALUES = 1000;

/** Parameters, then variables from the outermost block in; of several with one name, only the innermost is in scope. */
export function frameVariables(frame: FrameContext, sources: VariableSources): Variable[] {
  const { scope, die, activations } = frame;
  if (!scope || !die) return [];
  const first = scope.chain.indexOf(die);
  const inner = scope.chain.findIndex(({ tag }, index) => index > first && tag === TAG.inlinedSubroutine);
  const blocks = scope.chain.slice(first, inner < 0 ? undefined : inner);
  const found = new Map<string, Die>();
  for (const block of blocks) {
    for (const declared of declaredIn(block)) {
      const name = declared.name;
      if (name === undefined) continue;
      found.delete(name);
      found.set(name, declared);
    }
  }
  const expressions = frameExpressions(activations, sources, scope.function);
  const place = (declared: Die): Storage => locationOf(declared, activations[0]!.lookup, expressions, sources);
  const numberOf = (declared: Die): bigint | undefined => {
    const bytes = place(declared).read(0, sizeOf(typeOf(declared)) ?? 8);
    return bytes && unsignedOf(bytes);
  };
  const context: ValueContext = { expressions, numberOf, registerName: sources.registerName, describe: sources.describe };
  const isParameter = (declared: Die): boolean => declared.tag === TAG.formalParameter;
  const ordered = [...found].sort(([, a], [, b]) => Number(isParameter(b)) - Number(isParameter(a)));
  return ordered.map(([name, declared]) => makeVariable(name, typeOf(declared), place(declared), context));
}

/** Variables of the program itself: of files, namespaces and classes, each place once. */
export function globalVariables(info: DebugInfo, sources: VariableSources): Variable[] {
  const found = new Map<string, Variable>();
  for (const unit of info.units) {
    const expressions = unitExpressions(unit, sources.reader);
    const context: ValueContext = { expressions, numberOf: () => undefined, registerName: sources.registerName, describe: sources.describe };
    const open = [unit.dies];
    for (let die = open.shift(); die; die = open.shift()) {
      for (const child of die.children) {
        if (child.tag === TAG.namespace || child.tag === TAG.module) open.push(child);
        const expression = child.tag === TAG.variable ? child.block(AT.location) : undefined;
        if (!expression || child.name === undefined) continue;
        const storage = storageOf(locate(expression, expressions), expressions);
        const variable = makeVariable(child.name, typeOf(child), storage, context);
        const key = `${variable.name} ${variable.address}`;
        if (!found.has(key)) found.set(key, variable);
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Parameters and variables of a block; those that the compiler left out of this copy stand in its origin. */
function declaredIn(block: Die): Die[] {
  const isVariable = ({ tag }: Die): boolean => tag === TAG.formalParameter || tag === TAG.variable;
  const own = block.children.filter((child) => isVariable(child) && !child.flag(AT.declaration));
  const origin = block.reference(AT.abstractOrigin);
  if (!origin) return own;
  const copied = new Set(own.map((child) => child.reference(AT.abstractOrigin)));
  const left = origin.children.filter((child) => isVariable(child) && !child.flag(AT.declaration) && !copied.has(child));
  return [...own, ...left];
}

function locationOf(declared: Die, address: bigint, expressions: ExpressionContext, sources: VariableSources): Storage {
  const holder = declared.owner(AT.location);
  const expression = holder && expressionAt(holder, AT.location, address);
  if (expression) {
    const { reader } = sources;
    return storageOf(locate(expression, expressions), { register: expressions.register, read: (at, bytes) => reader.read(at, bytes) });
  }
  return constantOf(declared) ?? absent;
}

/** A value that stands in the debug information itself. */
function constantOf(declared: Die): Storage | undefined {
  const holder = declared.owner(AT.constValue);
  if (!holder) return undefined;
  const bytes = holder.block(AT.constValue);
  if (bytes) return fixed(bytes);
  const text = holder.string(AT.constValue);
  if (text !== undefined) return fixed(new TextEncoder().encode(`${text}\0`));
  const value = holder.constant(AT.constValue);
  const size = sizeOf(typeOf(declared)) ?? 8;
  if (value === undefined || !(size <= 16)) return undefined;
  return fixed(Uint8Array.from({ length: size }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn)));
}

/** What an expression may ask where there is no frame. */
function unitExpressions(unit: Unit, reader: FrameReader): ExpressionContext {
  return {
    register: () => undefined,
    read: (address, bytes) => reader.read(address, bytes),
    frameBase: () => undefined,
    cfa: () => undefined,
    entryValue: () => undefined,
    indexedAddress: (index) => unit.indexedAddress(index),
    baseType: (offset) => valueTypeOf(unit.dieAt(offset)),
  };
}

/** What an expression may ask in a physical frame of `function`. */
function frameExpressions(activations: readonly Activation[], sources: VariableSources, physical: Die): ExpressionContext {
  const [activation, caller] = activations;
  const context: ExpressionContext = {
    ...unitExpressions(physical.unit, sources.reader),
    register: (number) => activation!.registers[number],
    cfa: () => activation!.cfa,
    frameBase: () => (base ??= { value: frameBase() }).value,
    entryValue(expression) {
      if (!caller || ++sources.entryValues > MAX_ENTRY_VALUES) return undefined;
      return entryValue(expression, activations.slice(1), physical, sources);
    },
  };
  let base: { value: bigint | undefined } | undefined;
  const frameBase = (): bigint | undefined => {
    const expression = expressionAt(physical, AT.frameBase, activation!.lookup);
    return expression && evaluate(expression, { ...context, frameBase: () => undefined });
  };
  return context;
}

/**
 * The value at entry of a register: what the caller's call site says that it passed
 * (DWARF 5, 3.4), provided that this call is the one that led here and not one whose target jumped on to this function.
 */
function entryValue(expression: Uint8Array, activations: readonly Activation[], callee: Die, sources: VariableSources): bigint | undefined {
  const caller = activations[0]!;
  const physical = sources.functions.functionAt(caller.lookup);
  const site = physical && callSite(physical, caller.pc);
  if (!physical || !site) return undefined;
  const context = frameExpressions(activations, sources, physical);
  const origin = site.reference(AT.callOrigin) ?? site.reference(AT.abstractOrigin);
  if (origin) {
    if (root(origin) !== root(callee) && origin.name !== callee.name) return undefined;
  } else {
    const target = site.block(AT.callTarget) ?? site.block(AT.gnuCallSiteTarget);
    if (!target || evaluate(target, context) !== callee.span?.start) return undefined;
  }
  const register = namedRegister(expression);
  const passed = site.children.find((parameter) => {
    const location = parameter.block(AT.location);
    return register !== undefined && location && namedRegister(location) === register;
  });
  const value = passed?.block(AT.callValue) ?? passed?.block(AT.gnuCallSiteValue);
  return value && evaluate(value, context);
}

/** The declaration or abstract instance behind a function. */
function root(die: Die): Die {
  return die.owner(AT.name) ?? die;
}

/** Call sites by return address, of functions that were asked about. */
const callSites = new WeakMap<Die, ReadonlyMap<bigint, Die>>();

function callSite(physical: Die, returnAddress: bigint): Die | undefined {
  let sites = callSites.get(physical);
  if (!sites) callSites.set(physical, (sites = readCallSites(physical)));
  return sites.get(returnAddress);
}

function readCallSites(physical: Die): Map<bigint, Die> {
  const sites = new Map<bigint, Die>();
  const open = [physical];
  for (let die = open.pop(); die; die = open.pop()) {
    const isSite = die.tag === TAG.callSite || die.tag === TAG.gnuCallSite;
    const address = isSite ? (die.address(AT.callReturnPc) ?? die.address(AT.lowPc)) : undefined;
    if (address !== undefined) sites.set(address, die);
    for (const child of die.children) open.push(child);
  }
  return sites;
}

/** The register that an expression names, with a type (as for floating point) or without. */
function namedRegister(expression: Uint8Array): number | undefined {
  return readAt(expression, 'a DWARF expression', 0, (reader) => {
    const op = reader.u8();
    if (op >= 0x50 && op <= 0x6f) return op - 0x50; // DW_OP_reg
    const named = op === 0x90 || op === 0xa5 || op === 0xf5; // DW_OP_regx, DW_OP_regval_type and its GNU forerunner
    return named ? reader.uleb() : undefined;
  });
}
