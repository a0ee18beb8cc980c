import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asm, machineWith, ramBase } from './guest.test-support';
import type { Machine } from './machine';

// Translation against a model of it that is written to be read: The RISC-V
// Instruction Set Manual, volume II, section 4.3.2, step by step. Nothing here
// ever fences, so a TLB that held something back would show.

const ramBytes = 64 * 4096;
const tables = [16, 17, 18, 19].map((page) => ramBase + BigInt(page) * 4096n);
const csr = { mstatus: 0x300, menvcfg: 0x30a, mtvec: 0x305, mcause: 0x342, mtval: 0x343, satp: 0x180, pmpaddr0: 0x3b0, pmpcfg0: 0x3a0 };
const [MXR, SUM, MPRV] = [1n << 19n, 1n << 18n, 1n << 17n];
const ADUE = 1n << 61n;
const [V, R, W, X, U, A, D] = [1n, 2n, 4n, 8n, 16n, 64n, 128n];

interface Setting {
  levels: 3 | 4;
  privilege: 0n | 1n;
  sum: boolean;
  mxr: boolean;
  update: boolean;
}

const read64 = (machine: Machine, address: bigint): bigint | undefined => {
  const bytes = machine.readMemory(address, 8);
  return bytes && new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
};

type Walk = { fault: 'page' | 'access' } | { address: bigint; update?: { at: bigint; entry: bigint } };

function walk(machine: Machine, va: bigint, store: boolean, setting: Setting): Walk {
  const bits = BigInt(12 + 9 * setting.levels);
  if (BigInt.asUintN(64, BigInt.asIntN(Number(bits), va)) !== va) return { fault: 'page' };
  let table = tables[0] ?? 0n;
  for (let level = setting.levels - 1; level >= 0; level--) {
    const at = table + ((va >> BigInt(12 + 9 * level)) & 511n) * 8n;
    const entry = read64(machine, at);
    if (entry === undefined) return { fault: 'access' };
    const has = (flags: bigint): boolean => (entry & flags) === flags;
    if (!has(V) || (has(W) && !has(R)) || entry >> 54n !== 0n) return { fault: 'page' };
    const target = ((entry >> 10n) & ((1n << 44n) - 1n)) << 12n;
    if (!has(R) && !has(X)) {
      if ((entry & (A | D | U)) !== 0n) return { fault: 'page' };
      table = target;
      continue;
    }
    const readable = has(R) || (setting.mxr && has(X));
    if (!(store ? has(W) : readable)) return { fault: 'page' };
    if (has(U) ? setting.privilege === 1n && !setting.sum : setting.privilege === 0n) return { fault: 'page' };
    const span = 1n << BigInt(12 + 9 * level);
    if (target % span !== 0n) return { fault: 'page' };
    const wanted = entry | A | (store ? D : 0n);
    if (wanted !== entry && !setting.update) return { fault: 'page' };
    const address = target + (va % span);
    return wanted === entry ? { address } : { address, update: { at, entry: wanted } };
  }
  return { fault: 'page' };
}

/** Sets mstatus and loads; the same and stores; and a loop to trap into. No entry below leads a store to its page. */
const codeAt = ramBase + 5n * 4096n;
const code = [
  asm.csrrw(0, csr.mstatus, 8),
  asm.ld(6, 5, 0),
  asm.jal(0, 0),
  asm.csrrw(0, csr.mstatus, 8),
  ((7 << 20) | (5 << 15) | (3 << 12) | 0x23) >>> 0,
  asm.jal(0, 0),
];

/**
 * Loads or stores as the privilege does that mstatus lends, or physically. The
 * guest sets mstatus itself: what the host sets empties the TLBs. Returns the
 * exception's cause, or null.
 */
function access(machine: Machine, va: bigint, store: boolean, { privilege, sum, mxr }: Setting, physically = false): bigint | null {
  const before = machine.traps().exceptions;
  machine.setX(8, (physically ? 3n << 11n : MPRV | (privilege << 11n)) | (sum ? SUM : 0n) | (mxr ? MXR : 0n));
  machine.setX(5, va);
  machine.pc = codeAt + (store ? 12n : 0n);
  machine.run(machine.retired + 2);
  return machine.traps().exceptions === before ? null : (machine.getCsr(csr.mcause) ?? -1n);
}

const flags = fc.constantFrom(V, V | R, V | R | W, V | X, V | W, 0n, V | R | X, V | R | W | X);
const leafBits = fc.constantFrom(0n, A, A | D, U, U | A, U | A | D, D);
/** Mostly tables and pages of RAM, seldom something else. */
const entry = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...tables).map((table) => ((table >> 12n) << 10n) | V) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.integer({ min: 24, max: 63 }), flags, leafBits)
      .map(([page, kind, more]) => (((ramBase >> 12n) + BigInt(page)) << 10n) | kind | more),
  },
  { weight: 1, arbitrary: fc.tuple(flags, leafBits).map(([kind, more]) => ((ramBase >> 12n) << 10n) | kind | more) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) },
);
/** Few indexes, so that walks meet. Index 2 of the top table may be a gigapage of all RAM. */
const index = fc.constantFrom(0, 1, 2, 511);
const virtual = fc
  .tuple(index, index, index, index, fc.integer({ min: 0, max: 511 }), fc.boolean())
  .map(([a, b, c, d, word, high]) => {
    const low = (BigInt(b) << 30n) | (BigInt(c) << 21n) | (BigInt(d) << 12n) | BigInt(word * 8);
    return BigInt.asUintN(64, high ? BigInt.asIntN(48, (BigInt(a) << 39n) | low) : BigInt.asIntN(39, low));
  });

interface Draw {
  kind: number;
  wild: bigint;
  page: number;
  leaf: bigint;
  more: bigint;
}
const draw: fc.Arbitrary<Draw> = fc.record({
  kind: fc.integer({ min: 0, max: 9 }),
  wild: entry,
  page: fc.integer({ min: 16, max: 63 }),
  leaf: flags,
  more: leafBits,
});
/** An entry that mostly does what its table's level is for. */
function entryFor(table: number, { kind, wild, page, leaf, more }: Draw, { levels, privilege }: Setting): bigint {
  if (kind > 7) return wild;
  const next = tables[table + 1];
  if (table < levels - 1 && next !== undefined) return ((next >> 12n) << 10n) | V;
  const usual = V | R | W | X | A | D | (privilege === 0n ? U : 0n);
  return (((ramBase >> 12n) + BigInt(page)) << 10n) | (kind > 4 ? leaf | more : usual);
}

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('access' as const), va: virtual, store: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('entry' as const), table: fc.integer({ min: 0, max: 3 }), index, draw }) },
);

const settings = fc.record({
  levels: fc.constantFrom(3 as const, 4 as const),
  privilege: fc.constantFrom(0n as const, 1n as const),
  sum: fc.boolean(),
  mxr: fc.boolean(),
  update: fc.boolean(),
});

describe('translation', () => {
  it('is that of the model, whatever was translated before and changed since', () => {
    let translated = 0;
    const world = fc.tuple(settings, fc.array(draw, { minLength: 16, maxLength: 16 }), fc.array(step, { minLength: 10, maxLength: 40 }));
    fc.assert(
      fc.property(world, ([setting, entries, steps]) => {
        const machine = machineWith([], ramBytes);
        machine.writeMemory(codeAt, new Uint8Array(Uint32Array.from(code).buffer));
        machine.setCsr(csr.mtvec, codeAt + 8n);
        machine.setCsr(csr.pmpaddr0, (1n << 54n) - 1n);
        machine.setCsr(csr.pmpcfg0, 0x1fn);
        machine.setCsr(csr.menvcfg, setting.update ? ADUE : 0n);
        machine.setCsr(csr.satp, (BigInt(setting.levels + 5) << 60n) | ((tables[0] ?? 0n) >> 12n));
        const put = (table: number, slot: number, value: bigint): void => {
          machine.setX(7, value);
          expect(access(machine, (tables[table] ?? 0n) + BigInt(slot * 8), true, setting, true)).toBeNull();
        };
        entries.forEach((value, i) => put(i >> 2, [0, 1, 2, 511][i & 3] ?? 0, entryFor(i >> 2, value, setting)));
        for (const act of steps) {
          if (act.kind === 'entry') {
            put(act.table, act.index, entryFor(act.table, act.draw, setting));
            continue;
          }
          const { va, store } = act;
          const expected = walk(machine, va, store, setting);
          machine.setX(7, 0x0123_4567_89ab_cdefn);
          machine.setX(6, 0n);
          const inRam = 'address' in expected ? read64(machine, expected.address) : undefined;
          const cause = access(machine, va, store, setting);
          if ('fault' in expected || inRam === undefined) {
            const kind = 'fault' in expected ? expected.fault : 'access';
            expect(cause).toBe(kind === 'page' ? (store ? 15n : 13n) : store ? 7n : 5n);
            expect(machine.getCsr(csr.mtval)).toBe(va);
            continue;
          }
          translated++;
          expect(cause).toBeNull();
          const { address, update } = expected;
          if (update && !(store && update.at === address)) expect(read64(machine, update.at)).toBe(update.entry);
          if (store) expect(read64(machine, address)).toBe(0x0123_4567_89ab_cdefn);
          else if (update?.at !== address) expect(machine.getX(6)).toBe(inRam);
        }
      }),
      { numRuns: 400 },
    );
    // The generator must reach what it is for.
    expect(translated).toBeGreaterThan(1000);
  });
});
