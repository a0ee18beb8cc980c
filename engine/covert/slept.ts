import type { Computer, TimeSource } from '../machine/types';

/** The number of the CSR `time`. */
const timeCsr = 0xc01;

/** Core cycles in which a guest has slept, which its cores did not count: what its clock is ahead of what it has done. A guest may set its clock. */
export function sleptCycles(computer: Pick<Computer, 'cycles' | 'retired' | 'getCsr'>, { time, perTick }: TimeSource): number {
  const awake = time === 'core' ? computer.cycles : computer.retired;
  return Number(computer.getCsr(timeCsr) ?? 0n) * perTick - awake;
}
