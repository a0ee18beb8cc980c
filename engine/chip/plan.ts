import type { CostChanges } from './cost-table';
import type { MemoryTiming } from './memory-timing';

/** A chip as the scenario language describes it. */
export interface ChipPlan {
  name: string;
  cores: number;
  /** Core clock in Hz. */
  hertz: number;
  l2Banks: number;
  /** Bytes of one L2 bank. */
  l2BankBytes: number;
  memoryControllers: number;
  ring: boolean;
  spares: number[];
  /** Default `fast`: memory takes as long as an instruction's class says. */
  timing?: 'fast' | 'detailed';
  /** Under `detailed` timing: what is otherwise than the defaults. */
  memoryTiming?: Partial<MemoryTiming>;
  /** What the VMM's work costs on it, where that is not the default. */
  costs?: CostChanges;
}
