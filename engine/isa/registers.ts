/**
 * Names of registers: the RISC-V ELF psABI's calling-convention names, and the
 * CSR listing of the privileged manual, chapter 2 (RV64, without hypervisor).
 */

/** Integer registers, by number. */
export const xNames: readonly string[] = [
  'zero', 'ra', 'sp', 'gp', 'tp', 't0', 't1', 't2', 's0', 's1', 'a0', 'a1', 'a2', 'a3', 'a4', 'a5',
  'a6', 'a7', 's2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10', 's11', 't3', 't4', 't5', 't6',
];

/** Floating-point registers, by number. */
export const fNames: readonly string[] = [
  'ft0', 'ft1', 'ft2', 'ft3', 'ft4', 'ft5', 'ft6', 'ft7', 'fs0', 'fs1', 'fa0', 'fa1', 'fa2', 'fa3', 'fa4', 'fa5',
  'fa6', 'fa7', 'fs2', 'fs3', 'fs4', 'fs5', 'fs6', 'fs7', 'fs8', 'fs9', 'fs10', 'fs11', 'ft8', 'ft9', 'ft10', 'ft11',
];

function numbers(names: readonly string[], letter: string): Map<string, number> {
  const result = new Map<string, number>();
  names.forEach((name, index) => {
    result.set(name, index);
    result.set(`${letter}${index}`, index);
  });
  return result;
}

/** Integer register number by ABI name or `x0`..`x31`; `fp` is s0. */
export const xNumbers: ReadonlyMap<string, number> = numbers(xNames, 'x').set('fp', 8);

/** Floating-point register number by ABI name or `f0`..`f31`. */
export const fNumbers: ReadonlyMap<string, number> = numbers(fNames, 'f');

/** `prefix3`, `prefix4`, … as [number, name]. */
function series(first: number, prefix: string, from: number, to: number): [number, string][] {
  const result: [number, string][] = [];
  for (let index = from; index <= to; index++) result.push([first + (index - from), `${prefix}${index}`]);
  return result;
}

/** RV64 has the even pmpcfg registers only, at even numbers. */
function pmpConfigurations(): [number, string][] {
  return Array.from({ length: 8 }, (_, index) => [0x3a0 + 2 * index, `pmpcfg${2 * index}`]);
}

/** CSR name by its 12-bit number. A name here does not say that the machine has it. */
export const csrNames: ReadonlyMap<number, string> = new Map<number, string>([
  [0x001, 'fflags'], [0x002, 'frm'], [0x003, 'fcsr'], [0x015, 'seed'],
  [0x100, 'sstatus'], [0x104, 'sie'], [0x105, 'stvec'], [0x106, 'scounteren'], [0x10a, 'senvcfg'],
  [0x140, 'sscratch'], [0x141, 'sepc'], [0x142, 'scause'], [0x143, 'stval'], [0x144, 'sip'], [0x14d, 'stimecmp'],
  [0x180, 'satp'], [0x5a8, 'scontext'],
  [0x300, 'mstatus'], [0x301, 'misa'], [0x302, 'medeleg'], [0x303, 'mideleg'], [0x304, 'mie'], [0x305, 'mtvec'],
  [0x306, 'mcounteren'], [0x30a, 'menvcfg'], [0x320, 'mcountinhibit'], ...series(0x323, 'mhpmevent', 3, 31),
  [0x340, 'mscratch'], [0x341, 'mepc'], [0x342, 'mcause'], [0x343, 'mtval'], [0x344, 'mip'],
  ...pmpConfigurations(), ...series(0x3b0, 'pmpaddr', 0, 63), [0x747, 'mseccfg'],
  [0x7a0, 'tselect'], [0x7a1, 'tdata1'], [0x7a2, 'tdata2'], [0x7a3, 'tdata3'], [0x7a4, 'tinfo'], [0x7a5, 'tcontrol'], [0x7a8, 'mcontext'],
  [0x7b0, 'dcsr'], [0x7b1, 'dpc'], [0x7b2, 'dscratch0'], [0x7b3, 'dscratch1'],
  [0xb00, 'mcycle'], [0xb02, 'minstret'], ...series(0xb03, 'mhpmcounter', 3, 31),
  [0xc00, 'cycle'], [0xc01, 'time'], [0xc02, 'instret'], ...series(0xc03, 'hpmcounter', 3, 31),
  [0xda0, 'scountovf'],
  [0xf11, 'mvendorid'], [0xf12, 'marchid'], [0xf13, 'mimpid'], [0xf14, 'mhartid'], [0xf15, 'mconfigptr'],
]);

/** CSR number by name. */
export const csrNumbers: ReadonlyMap<string, number> = new Map([...csrNames].map(([number, name]) => [name, number]));

/** Rounding modes by number, as assemblers write them; undefined where reserved. */
export const roundingModes: readonly (string | undefined)[] = ['rne', 'rtz', 'rdn', 'rup', 'rmm', undefined, undefined, 'dyn'];
