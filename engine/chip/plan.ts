import type { CostChanges } from './cost-table';

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
  /** What the VMM's work costs on it, where that is not the default. */
  costs?: CostChanges;
}
