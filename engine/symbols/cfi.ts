import type { ElfFile } from './elf';
import { readFrameDescriptions, type CommonInformation, type FrameDescription } from './frame-section';
import type { Reader } from './reader';
import { ElfError } from './types';

/** How the caller's value of a register is found (DWARF 5, 6.4.1). */
export type RegisterRule =
  | { kind: 'undefined' | 'same' }
  /** Stands in memory at the CFA plus this. */
  | { kind: 'offset'; offset: number }
  /** Is the CFA plus this. */
  | { kind: 'value'; offset: number }
  | { kind: 'register'; register: number }
  /** Stands in memory where the expression says; the CFA is pushed before it. */
  | { kind: 'expression'; expression: Uint8Array }
  | { kind: 'value-expression'; expression: Uint8Array };

export type CfaRule = { kind: 'register'; register: number; offset: number } | { kind: 'expression'; expression: Uint8Array };

export interface UnwindRow {
  cfa: CfaRule;
  registers: ReadonlyMap<number, RegisterRule>;
  common: CommonInformation;
}

/** Sound code nests a few; the bound keeps damaged code from copying ever larger rows. */
const MAX_REMEMBERED = 32;

/** `.debug_frame` and `.eh_frame` of an ELF, read when first asked. */
export class CallFrames {
  private descriptions: readonly FrameDescription[] | undefined;

  constructor(private readonly elf: ElfFile) {}

  /** The rules at an address, or undefined where nothing describes it or the description is damaged. */
  at(address: bigint): UnwindRow | undefined {
    const description = this.find(address);
    if (!description) return undefined;
    try {
      return execute(description, address);
    } catch (error) {
      if (error instanceof ElfError) return undefined;
      throw error;
    }
  }

  private find(address: bigint): FrameDescription | undefined {
    const descriptions = (this.descriptions ??= readFrameDescriptions(this.elf));
    let low = 0;
    let high = descriptions.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (descriptions[middle]!.start <= address) low = middle + 1;
      else high = middle;
    }
    // .debug_frame and .eh_frame may both describe a function.
    const found = descriptions[low - 1];
    return found && address < found.end ? found : undefined;
  }
}

interface State {
  cfa: CfaRule;
  registers: Map<number, RegisterRule>;
}

function execute({ start, common, instructions }: FrameDescription, address: bigint): UnwindRow {
  const state: State = { cfa: { kind: 'register', register: 2, offset: 0 }, registers: new Map() };
  const distance = Number(address - start);
  run(common.instructions, common, state, undefined, Infinity, start);
  run(instructions, common, state, new Map(state.registers), distance, start);
  return { ...state, common };
}

/** Runs instructions until one moves past `distance` bytes from the function's start. */
function run(
  code: Reader,
  common: CommonInformation,
  state: State,
  initial: ReadonlyMap<number, RegisterRule> | undefined,
  distance: number,
  start: bigint,
): void {
  const reader = code.from(code.position);
  const remembered: State[] = [];
  let location = 0;
  const { codeAlignment, dataAlignment } = common;
  const set = (register: number, rule: RegisterRule): void => void state.registers.set(register, rule);
  const restore = (register: number): void => {
    const rule = initial?.get(register);
    if (rule) state.registers.set(register, rule);
    else state.registers.delete(register);
  };
  const offsetCfa = (offset: number): void => {
    if (state.cfa.kind !== 'register') throw new ElfError(`${reader.what} is damaged: an offset to a CFA that is no register`);
    state.cfa = { ...state.cfa, offset };
  };
  while (!reader.atEnd) {
    const byte = reader.u8();
    const operand = byte & 0x3f;
    switch (byte >> 6 === 0 ? byte : byte & 0xc0) {
      case 0x40: // DW_CFA_advance_loc
        location += operand * codeAlignment;
        break;
      case 0x80: // DW_CFA_offset
        set(operand, { kind: 'offset', offset: reader.uleb() * dataAlignment });
        break;
      case 0xc0: // DW_CFA_restore
        restore(operand);
        break;
      case 0x00: // DW_CFA_nop
        break;
      case 0x01: // DW_CFA_set_loc
        location = Number(reader.unsigned(common.addressSize) - start);
        break;
      case 0x02: // DW_CFA_advance_loc1
        location += reader.u8() * codeAlignment;
        break;
      case 0x03: // DW_CFA_advance_loc2
        location += reader.u16() * codeAlignment;
        break;
      case 0x04: // DW_CFA_advance_loc4
        location += reader.u32() * codeAlignment;
        break;
      case 0x05: // DW_CFA_offset_extended
        set(reader.uleb(), { kind: 'offset', offset: reader.uleb() * dataAlignment });
        break;
      case 0x06: // DW_CFA_restore_extended
        restore(reader.uleb());
        break;
      case 0x07: // DW_CFA_undefined
        set(reader.uleb(), { kind: 'undefined' });
        break;
      case 0x08: // DW_CFA_same_value
        set(reader.uleb(), { kind: 'same' });
        break;
      case 0x09: // DW_CFA_register
        set(reader.uleb(), { kind: 'register', register: reader.uleb() });
        break;
      case 0x0a: // DW_CFA_remember_state
        if (remembered.length === MAX_REMEMBERED) throw new ElfError(`${reader.what} is damaged: it remembers too many states`);
        remembered.push({ cfa: state.cfa, registers: new Map(state.registers) });
        break;
      case 0x0b: { // DW_CFA_restore_state
        const before = remembered.pop();
        if (!before) throw new ElfError(`${reader.what} is damaged: no state to restore`);
        state.cfa = before.cfa;
        state.registers = before.registers;
        break;
      }
      case 0x0c: // DW_CFA_def_cfa
        state.cfa = { kind: 'register', register: reader.uleb(), offset: reader.uleb() };
        break;
      case 0x0d: // DW_CFA_def_cfa_register
        state.cfa = { kind: 'register', register: reader.uleb(), offset: state.cfa.kind === 'register' ? state.cfa.offset : 0 };
        break;
      case 0x0e: // DW_CFA_def_cfa_offset
        offsetCfa(reader.uleb());
        break;
      case 0x0f: // DW_CFA_def_cfa_expression
        state.cfa = { kind: 'expression', expression: reader.slice(reader.uleb()) };
        break;
      case 0x10: // DW_CFA_expression
        set(reader.uleb(), { kind: 'expression', expression: reader.slice(reader.uleb()) });
        break;
      case 0x11: // DW_CFA_offset_extended_sf
        set(reader.uleb(), { kind: 'offset', offset: reader.sleb() * dataAlignment });
        break;
      case 0x12: // DW_CFA_def_cfa_sf
        state.cfa = { kind: 'register', register: reader.uleb(), offset: reader.sleb() * dataAlignment };
        break;
      case 0x13: // DW_CFA_def_cfa_offset_sf
        offsetCfa(reader.sleb() * dataAlignment);
        break;
      case 0x14: // DW_CFA_val_offset
        set(reader.uleb(), { kind: 'value', offset: reader.uleb() * dataAlignment });
        break;
      case 0x15: // DW_CFA_val_offset_sf
        set(reader.uleb(), { kind: 'value', offset: reader.sleb() * dataAlignment });
        break;
      case 0x16: // DW_CFA_val_expression
        set(reader.uleb(), { kind: 'value-expression', expression: reader.slice(reader.uleb()) });
        break;
      case 0x2e: // DW_CFA_GNU_args_size
        reader.uleb();
        break;
      default:
        throw new ElfError(`${reader.what} is damaged: call frame instruction 0x${byte.toString(16)} is not known`);
    }
    if (location > distance) return;
  }
}
