import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FaultPlan, Plan } from '../../engine/covert/plan';
import { flipX, planFor } from '../../engine/covert/plan.test-support';
import { run } from '../../engine/covert/run';
import { Session } from '../../engine/history/session';
import { asm } from '../../engine/machine/guest.test-support';
import { debianFiles } from '../../server/guest/debian';
import { initialDisk } from '../oracles/debian';
import { makeElf } from '../oracles/elf-writer';
import { complaints, covert, interruptAtProgress } from './covert';

const ramBase = 0x8000_0000n;
const srli = (rd: number, rs1: number, by: number): number => ((by << 20) | (rs1 << 15) | (5 << 12) | (rd << 7) | 0x13) >>> 0;
/** bne s1, zero, 20 */
const unlessZero = 0x00049a63;

/** Prints `a` and reboots, until 2^15 instructions have retired; then it powers off. Where no reboot comes, it spins. */
const elf = makeElf(
  ramBase,
  new Uint8Array(
    Uint32Array.from([
      asm.lui(5, 0x10000), asm.addi(6, 0, 0x61), asm.sb(6, 5, 0), asm.lui(7, 0x100), asm.csrrs(9, 0xb02, 0), srli(9, 9, 15), unlessZero,
      asm.lui(8, 7), asm.addi(8, 8, 0x777), asm.sw(8, 7, 0), asm.jal(0, 0),
      asm.lui(8, 5), asm.addi(8, 8, 0x555), asm.sw(8, 7, 0),
    ]).buffer,
  ),
);
const boot = 10;
/** Prints nothing, counts to 300, and reboots; where no reboot comes, it counts on. */
const silent = makeElf(ramBase, new Uint8Array(Uint32Array.from([asm.lui(7, 0x100), asm.lui(8, 7), asm.addi(8, 8, 0x777), ...Array<number>(300).fill(asm.addi(9, 9, 1)), asm.sw(8, 7, 0), asm.jal(0, -301 * 4)]).buffer));

function planOf(image: Uint8Array, faults: FaultPlan[] = [], maxInstructions = 50_000): Plan {
  const plan = planFor('checksum', { faults, maxInstructions, protection: { epochInstructions: 1000 } });
  return { ...plan, guest: { ...plan.guest, image } };
}

describe('a guest that reboots in replicas', () => {
  test('goes on to its end in all of them', async () => {
    const { guest, released, detections } = await run(planOf(elf));
    const boots = Math.ceil(2 ** 15 / boot);
    expect(guest).toMatchObject({ exit: 0, ended: 'exit' });
    expect(guest.output).toMatch(/^a{3276,3278}$/);
    expect(released).toMatchObject({ corrupt: false, bytes: guest.output.length });
    expect(Math.abs(guest.output.length - boots)).toBeLessThan(2);
    expect(detections).toEqual([]);
  });

  test('is detected where only one does, and recovers', async () => {
    // The command is none then: 0x7776.
    const { guest, detections, recoveries } = await run(planOf(silent, [flipX(8, 0, { kind: 'instruction', count: 5100 })], 20_000));
    expect(guest.ended).toBe('limit');
    expect(detections).toMatchObject([{ by: 'trap', what: 'reboots: A made 19, B made 16' }]);
    expect(recoveries).toHaveLength(1);
  });

  test('is found in the same state again from either side of a reboot', async () => {
    const session = Session.create(planOf(elf));
    const stateAt = async (moment: number): Promise<string[]> => {
      await session.travel(moment);
      return session.replicas.map(({ computer }) => `${computer.reboots} ${computer.pc.toString(16)} ${computer.snapshot().hash()}`);
    };
    const moments = [boot - 1, boot, boot + 1, 700, 701, 20_000];
    const forwards: string[][] = [];
    for (const moment of moments) forwards.push(await stateAt(moment));
    expect(forwards[0]?.[0]).toMatch(/^0 80000024 /);
    expect(forwards[1]?.[0]).toMatch(/^1 80000000 /);
    for (const moment of [...moments].reverse()) expect(await stateAt(moment)).toEqual(forwards[moments.indexOf(moment)]);
  });
});

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'covert-reboot-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('Ctrl-C ends the run of a guest that does nothing but reboot', async () => {
  const words = [asm.lui(7, 0x100), asm.lui(8, 7), asm.addi(8, 8, 0x777), asm.sw(8, 7, 0)];
  await writeFile(path.join(folder, 'only.elf'), makeElf(ramBase, new Uint8Array(Uint32Array.from(words).buffer)));
  const file = path.join(folder, 'only.covert');
  await writeFile(file, 'guest g { elf "only.elf" ram 16 MiB }\nscenario "s" { guest g protect dmr limit 1_000_000_000 instructions expect exit 0 }\n');
  const { exit, stderr } = await covert(['run', file], { meanwhile: interruptAtProgress });
  expect(exit, stderr).toBe(130);
});

describe('covert exec', () => {
  test('goes on, or ends with --no-reboot', async () => {
    const image = path.join(folder, 'reboots.elf');
    await writeFile(image, elf);
    const through = await covert(['exec', image]);
    expect({ exit: through.exit, complaints: complaints(through.stderr) }).toEqual({ exit: 0, complaints: '' });
    expect(through.stdout).toMatch(/^a{3276,3278}$/);
    expect(await covert(['exec', image, '--no-reboot'])).toEqual({
      exit: 0, stdout: 'a', stderr: `covert: ${image}: the guest asked for a reboot, and --no-reboot makes that the end, after 10 instructions\n`,
    });
    const json = await covert(['exec', image, '--no-reboot', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ exit: 0, ended: 'reboot', instructions: boot, output: 'a' });
  });

  const files = debianFiles();
  const noDebian = 'missing' in files ? ` (skipped: no ${files.missing} of npm run guest:debian)` : '';

  test.skipIf(noDebian !== '')(`Debian knows its second boot by a mark on its disk${noDebian}`, async () => {
    if ('missing' in files) return;
    const script = [
      'mark=$(dd if=/dev/vda bs=5 count=1 2>/dev/null)',
      'if [ "$mark" = again ]; then echo the second boot; exit 7; fi',
      'echo again | dd of=/dev/vda bs=512 conv=sync 2>/dev/null; sync',
      'echo the first boot; reboot -f; sleep 100',
    ].join('\n');
    const [initrd, disk, state] = [path.join(folder, 'initrd'), path.join(folder, 'disk.img'), path.join(folder, 'middle.state')];
    await writeFile(initrd, initialDisk(files, script));
    await writeFile(disk, new Uint8Array(65_536));
    const boots = ['exec', '--linux', '--ram', '256MiB', files.kernel, '--initrd', initrd, '--disk', disk, '--append', 'console=ttyS0 quiet'];
    const whole = await covert(boots);
    expect(whole.exit).toBe(7);
    expect(whole.stdout).toMatch(/the first boot\r\n[^]*Restarting system[^]*the second boot\r\n/);
    // From a file, in the middle of the first boot: what it was loaded with is in there, too.
    await covert([...boots, '--max-instructions', '1_000_000_000', '--save', state]);
    const rest = await covert(['exec', '--from', state]);
    expect(rest.exit).toBe(7);
    expect(whole.stdout.endsWith(rest.stdout)).toBe(true);
  });
});
