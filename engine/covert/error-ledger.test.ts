import { expect, it } from 'vitest';
import { ErrorLedger } from './error-ledger';

it('counts errors of a component that come within the window of the newest', () => {
  const ledger = new ErrorLedger({ errors: 3, instructions: 100 });
  const seen = [['core 1', 100], ['core 1', 150], ['core 2', 160], ['core 1', 201], ['core 1', 250], ['core 2', 261], ['core 1', 251]] as const;
  expect(seen.map(([component, moment]) => ledger.note(component, moment))).toEqual([false, false, false, false, true, false, true]);
  const before = ledger.save();
  ledger.note('core 2', 262);
  ledger.load(before);
  expect(ledger.count('core 2')).toBe(1);
});
