import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asm, exampleMachine, machineWith, ramBase, runSliced } from './guest.test-support';
import { LoadError, Machine } from './machine';

const cause = { fetchFault: 1, illegal: 2, breakpoint: 3, loadFault: 5, storeMisaligned: 6, storeFault: 7, ecall: 11 };

describe('exactness', () => {
  it.each(['checksum', 'sort', 'ticker'] as const)('%s: random slices and running through give the same states', (name) => {
    const whole = exampleMachine(name);
    const stops = [10_000, 333_333, 700_001];
    const hashes = stops.map((stop) => {
      whole.run(stop);
      return whole.snapshot().hash();
    });
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50_000 }), { minLength: 1, maxLength: 6 }), (sizes) => {
        const sliced = exampleMachine(name);
        stops.forEach((stop, i) => {
          runSliced(sliced, stop, sizes);
          expect(sliced.retired).toBe(stop);
          expect(sliced.snapshot().hash()).toBe(hashes[i]);
        });
      }),
      { numRuns: 10 },
    );
  });

  it.each(['checksum', 'ticker'] as const)('%s: stopping at every instruction and running through give the same state and cost', (name) => {
    const [stepped, whole] = [exampleMachine(name), exampleMachine(name)];
    for (const limit of [60_000, 200_000]) {
      runSliced(stepped, limit, [1]);
      whole.run(limit);
      expect(stepped.snapshot().hash()).toBe(whole.snapshot().hash());
      expect(stepped.cycles).toBe(whole.cycles);
    }
  });

  it('collecting effects changes nothing but the digest', () => {
    const [plain, watched, again] = [exampleMachine('ticker'), exampleMachine('ticker'), exampleMachine('ticker')];
    plain.run(150_000);
    watched.run(150_000, { collectEffects: true });
    expect(watched.snapshot().hash()).toBe(plain.snapshot().hash());
    expect(watched.cycles).toBe(plain.cycles);
    runSliced(again, 1, [1]);
    again.resetEffects();
    again.run(150_000, { collectEffects: true });
    expect(again.effects()).not.toBe(watched.effects());
  });

  it('stops at the first boundary at which the cycles have been spent', () => {
    const stepped = exampleMachine('checksum');
    const machine = exampleMachine('checksum');
    for (const cycleLimit of [17, 1000, 31_415]) {
      while (stepped.cycles < cycleLimit) stepped.run(stepped.retired + 1);
      expect(machine.run(1e9, { cycleLimit })).toBe('limit');
      expect([machine.retired, machine.cycles]).toEqual([stepped.retired, stepped.cycles]);
    }
  });
});

describe('states', () => {
  it('a restored state goes on as before, also in another machine', () => {
    const machine = exampleMachine('sort');
    machine.run(200_000);
    const snapshot = machine.snapshot();
    machine.run(500_000);
    const later = machine.snapshot().hash();
    for (const other of [machine, exampleMachine('sort'), machine.clone()]) {
      other.restore(snapshot);
      expect(other.snapshot().hash()).toBe(snapshot.hash());
      other.run(500_000);
      expect(other.snapshot().hash()).toBe(later);
    }
  });

  it('names the flipped bit, and only that', () => {
    const machine = exampleMachine('checksum');
    machine.run(100_000);
    const before = machine.snapshot();
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 31 }), fc.integer({ min: 0, max: 63 }), fc.nat(2 ** 20 - 1), (x, bit, page) => {
        machine.restore(before);
        const old = machine.getX(x);
        machine.setX(x, old ^ (1n << BigInt(bit)));
        const address = ramBase + BigInt(page * 8);
        const [byte] = machine.readMemory(address, 1) ?? [0];
        machine.writeMemory(address, Uint8Array.of((byte ?? 0) ^ (1 << (bit & 7))));
        const found = before.difference(machine.snapshot(before));
        expect(found).toHaveLength(2);
        expect((found[0]?.a ?? 0n) ^ (found[0]?.b ?? 0n)).toBe(1n << BigInt(bit));
        expect(found[1]?.place).toBe(`memory[0x${address.toString(16)}]`);
        expect((found[1]?.a ?? 0n) ^ (found[1]?.b ?? 0n)).toBe(1n << BigInt(bit & 7));
        expect(before.changedPages(machine.snapshot())).toBe(1);
        expect(before.equals(machine.snapshot())).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  it('two machines with the same history have equal states and hashes', () => {
    const [one, other] = [exampleMachine('checksum'), exampleMachine('checksum')];
    one.run(123_456);
    runSliced(other, 123_456, [1000]);
    expect(one.snapshot().equals(other.snapshot())).toBe(true);
    expect(one.snapshot().hash()).toBe(other.snapshot().hash());
    other.run(123_457);
    expect(one.snapshot().equals(other.snapshot())).toBe(false);
  });
});

describe('breakpoints and watches', () => {
  it('stops before the instruction, as often as it comes by', () => {
    // addi x1, x1, 1; jal x0, -4
    const machine = machineWith([asm.addi(1, 1, 1), asm.jal(0, -4)]);
    machine.setBreakpoints([ramBase + 4n]);
    for (let round = 1; round < 5; round++) {
      expect(machine.run(1000, { stepOver: true })).toBe('breakpoint');
      expect([machine.pc, machine.getX(1), machine.retired]).toEqual([ramBase + 4n, BigInt(round), 2 * round - 1]);
    }
    machine.setBreakpoints([]);
    expect(machine.run(1000)).toBe('limit');
  });

  it('finds a breakpoint in the middle of a straight line, and while effects are collected', () => {
    for (const collectEffects of [false, true]) {
      const machine = machineWith([asm.addi(1, 0, 1), asm.addi(2, 0, 2), asm.addi(3, 0, 3), asm.jal(0, 0)]);
      machine.run(100);
      const fresh = machineWith([asm.addi(1, 0, 1), asm.addi(2, 0, 2), asm.addi(3, 0, 3), asm.jal(0, 0)]);
      fresh.setBreakpoints([ramBase + 8n]);
      expect(fresh.run(100, { collectEffects })).toBe('breakpoint');
      expect([fresh.getX(2), fresh.getX(3)]).toEqual([2n, 0n]);
    }
  });

  it('stops after an access of a watched place, and at no other', () => {
    // x5 = 0x80001000; sw x1, 8(x5); lw x2, 12(x5); lw x3, 8(x5)
    const machine = machineWith([
      asm.auipc(5, 1),
      asm.addi(1, 0, 7),
      asm.sw(1, 5, 8),
      asm.lw(2, 5, 12),
      asm.lw(3, 5, 8),
      asm.jal(0, 0),
    ]);
    machine.setWatches([{ address: ramBase + 0x1008n, bytes: 4, on: 'access' }]);
    expect([machine.run(100), machine.retired]).toEqual(['watch', 3]);
    expect([machine.run(100), machine.retired, machine.getX(3)]).toEqual(['watch', 5, 7n]);
    expect(machine.run(100)).toBe('limit');
    machine.setWatches([]);
  });
});

describe('code that changes', () => {
  it('is executed as it is now', () => {
    // A loop whose first instruction is overwritten: addi x1, x1, 1 becomes addi x1, x1, 16.
    const words = [
      asm.addi(1, 1, 1),
      asm.auipc(5, 0),
      asm.lw(6, 5, 16), // the new instruction
      asm.sw(6, 5, -4),
      asm.jal(0, -16),
      asm.addi(1, 1, 16),
    ];
    const machine = machineWith(words);
    machine.run(5 * 4 + 1);
    expect(machine.getX(1)).toBe(1n + 4n * 16n);
    const stepped = machineWith(words);
    runSliced(stepped, 21, [1]);
    expect(stepped.snapshot().hash()).toBe(machine.snapshot().hash());
  });

  // amoswap finds auipc x5, 0 there, which is 0x297.
  it.each([
    ['amoswap.w', (rd: number) => ((1 << 27) | (5 << 15) | (2 << 12) | (rd << 7) | 0x2f) >>> 0, 0x297n],
    ['sc.w', (rd: number) => asm.scW(rd, 0, 5), 0n],
  ])('%s to its own page gives its result as anywhere else', (_, instruction, result) => {
    for (const rd of [0, 6]) {
      const words = [asm.auipc(5, 0), asm.lrW(1, 5), instruction(rd), asm.addi(7, 6, 1), asm.jal(0, 0)];
      const [whole, stepped] = [machineWith(words), machineWith(words)];
      for (const machine of [whole, stepped]) machine.setX(6, 99n);
      // Further than the block is long, or it would be stepped through too.
      whole.run(20);
      runSliced(stepped, 20, [1]);
      expect(whole.snapshot().difference(stepped.snapshot())).toEqual([]);
      expect([whole.getX(0), whole.getX(6)]).toEqual([0n, rd === 0 ? 99n : result]);
      expect(whole.readMemory(ramBase, 4)).toEqual(new Uint8Array(4));
    }
  });

  it('may lie beside data that is written all the time', () => {
    // x2 counts up and is stored to the same page: 1,000 rounds.
    const machine = machineWith([asm.auipc(5, 0), asm.addi(2, 2, 1), asm.sw(2, 5, 64), asm.jal(0, -8)]);
    machine.run(1 + 3 * 1000);
    expect(machine.readMemory(ramBase + 64n, 4)).toEqual(Uint8Array.of(0xe8, 3, 0, 0));
  });
});

describe('traps', () => {
  const handler = ramBase + 0x100n;

  function trapping(words: number[], prepare?: (machine: Machine) => void): Machine {
    const machine = machineWith(words);
    machine.setCsr(0x305, handler);
    machine.writeMemory(handler, Uint8Array.of(0x6f, 0, 0, 0)); // jal x0, 0
    prepare?.(machine);
    machine.run(20);
    return machine;
  }

  it.each([
    ['a load from nowhere', [asm.lw(1, 0, 8)], cause.loadFault, 8n],
    ['a store to nowhere', [asm.sw(1, 0, 16)], cause.storeFault, 16n],
    ['a jump to nowhere', [asm.jal(0, -0x1000)], cause.fetchFault, ramBase - 0x1000n],
    ['a breakpoint', [asm.ebreak], cause.breakpoint, ramBase],
    ['an environment call', [asm.ecall], cause.ecall, 0n],
    ['an illegal instruction', [0xffffffff], cause.illegal, 0xffffffffn],
    ['a CSR that is not there', [asm.csrrs(1, 0x7c0, 0)], cause.illegal, BigInt(asm.csrrs(1, 0x7c0, 0))],
    ['a write to a read-only CSR', [asm.csrrw(1, 0xf14, 1)], cause.illegal, BigInt(asm.csrrw(1, 0xf14, 1))],
    ['floating point switched off', [0x02000053], cause.illegal, 0x02000053n],
  ])('%s has its cause and value', (_, words, expected, value) => {
    const machine = trapping([asm.addi(3, 0, 3), ...words]);
    expect(machine.traps()).toMatchObject({ exceptions: 1, cause: expected });
    expect(machine.getCsr(0x342)).toBe(BigInt(expected));
    const relative = expected === cause.breakpoint || expected === cause.fetchFault ? value + 4n : value;
    expect(machine.getCsr(0x343)).toBe(relative);
    expect(machine.getCsr(0x341)).toBe(expected === cause.fetchFault ? ramBase - 0x1000n + 4n : ramBase + 4n);
    expect(machine.pc).toBe(handler);
  });

  it('a misaligned load works, a misaligned reservation does not', () => {
    const data = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
    const machine = trapping([asm.auipc(5, 0), asm.lw(1, 5, 65), asm.addi(5, 5, 65), asm.lrW(2, 5)], (fresh) =>
      fresh.writeMemory(ramBase + 64n, data),
    );
    expect(machine.getX(1)).toBe(0x05040302n);
    expect(machine.getCsr(0x342)).toBe(4n);
  });

  it('a guest without a handler stalls, the same way however often it is asked', () => {
    const machine = machineWith([asm.ecall]);
    expect(machine.run(1000)).toBe('stalled');
    const hash = machine.snapshot().hash();
    expect([machine.run(2000), machine.snapshot().hash()]).toEqual(['stalled', hash]);
  });

  it('a handler that two modes share is not stalled when only the lower one fails in it', () => {
    // User code calls; the supervisor's first instruction reads mscratch, which only machine mode may.
    const machine = machineWith([asm.mret, asm.ecall]);
    const code = Uint8Array.from([asm.csrrs(1, 0x340, 0), asm.jal(0, 0)].flatMap((word) => [0, 8, 16, 24].map((bit) => (word >>> bit) & 255)));
    machine.writeMemory(handler, code);
    for (const vector of [0x305, 0x105]) machine.setCsr(vector, handler);
    machine.setCsr(0x302, 1n << 8n);
    machine.setCsr(0x3b0, 2n ** 54n - 1n);
    machine.setCsr(0x3a0, 0x1fn);
    machine.setCsr(0x341, ramBase + 4n);
    machine.setCsr(0x340, 42n);
    expect(machine.run(10)).toBe('limit');
    expect([machine.getX(1), machine.traps().exceptions, machine.traps().cause]).toEqual([42n, 2, 2]);
  });

  it.each<[string, bigint, number]>([
    ['powers off', 0x5555n, 0],
    ['fails with a code', 0x73333n, 7],
  ])('a guest that %s by the board’s reset register has ended', (_, command, code) => {
    const machine = machineWith([asm.sw(6, 5, 0), asm.jal(0, 0)]);
    machine.setX(5, 0x100000n);
    machine.setX(6, command);
    expect([machine.run(100), machine.retired, machine.exitCode]).toEqual(['exit', 1, code]);
  });

  it('a guest that may be woken from outside sleeps as long as it is let', () => {
    const machine = machineWith([asm.wfi, asm.jal(0, 0)]);
    const time = (): number => Number(machine.getCsr(0xc01));
    // mtimecmp at 5,000, and its interrupt enabled, but not taken.
    const timed = machineWith([0x01b2b023 /* sd x27, 0(x5) */, asm.wfi, asm.jal(0, 0)]);
    timed.setX(5, 0x0200_4000n);
    timed.setX(27, 5000n);
    timed.setCsr(0x304, 0x80n);
    expect([machine.run(1000, { wakeful: true }), timed.run(1000, { wakeful: true }), time()]).toEqual(['idle', 'idle', 0]);
    expect([machine.nap(700), timed.nap(700), time(), timed.getCsr(0xc01)]).toEqual([false, true, 700, 700n]);
    expect([timed.run(1000, { wakeful: true }), timed.retired]).toEqual(['idle', 2]);
    expect([timed.nap(10_000), timed.getCsr(0xc01), timed.run(1000, { wakeful: true }), timed.retired]).toEqual([true, 5000n, 'limit', 1000]);
  });

  it('a guest that waits for nothing is idle', () => {
    const machine = machineWith([asm.wfi, asm.jal(0, 0)]);
    expect([machine.run(1000), machine.run(1000), machine.retired]).toEqual(['idle', 'idle', 1]);
  });

  it('a store conditional succeeds once', () => {
    const machine = trapping([asm.auipc(5, 0), asm.addi(5, 5, 64), asm.lrW(1, 5), asm.scW(2, 5, 5), asm.scW(3, 5, 5)]);
    expect([machine.getX(2), machine.getX(3)]).toEqual([0n, 1n]);
  });
});

describe('any guest', () => {
  it('of random bytes traps, ends, or reaches the limit; and slicing does not matter', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 64, maxLength: 2048 }),
        fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { minLength: 31, maxLength: 31 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 4 }),
        (bytes, registers, sizes) => {
          const [whole, sliced] = [0, 1].map(() => {
            const machine = Machine.create({ ramBytes: 64 * 1024 });
            machine.load({ entry: ramBase, segments: [{ address: ramBase, data: bytes, memoryBytes: bytes.length }] });
            registers.forEach((value, i) => machine.setX(i + 1, i % 2 === 0 ? value : ramBase + (value & 0xffffn)));
            machine.setCsr(0x305, ramBase + 32n);
            machine.setCsr(0x300, 0x6000n);
            return machine;
          }) as [Machine, Machine];
          const stop = whole.run(500);
          expect(runSliced(sliced, 500, sizes)).toBe(stop);
          expect(sliced.snapshot().hash()).toBe(whole.snapshot().hash());
          expect(sliced.cycles).toBe(whole.cycles);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('that does not fit is refused in one line', () => {
    const machine = Machine.create({ ramBytes: 4096 });
    const segment = { address: ramBase + 4000n, data: new Uint8Array(200), memoryBytes: 200 };
    expect(() => machine.load({ entry: ramBase, segments: [segment] })).toThrow(LoadError);
    expect(() => machine.load({ entry: ramBase, segments: [{ ...segment, address: 0n }] })).toThrow(/outside of RAM/);
    expect(() => Machine.create({ ramBytes: 5000 })).toThrow(/multiple of 4096/);
  });
});
