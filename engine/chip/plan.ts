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
}
