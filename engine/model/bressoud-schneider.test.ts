import { expect, test } from 'vitest';
import { bressoudSchneider, normalizedPerformance, publishedPoints } from './bressoud-schneider';

test.each(publishedPoints)('at epochs of $epochInstructions instructions $performance, within 1 %', ({ epochInstructions, performance }) => {
  expect(Math.abs(normalizedPerformance(epochInstructions) / performance - 1)).toBeLessThan(0.01);
});

test('there are six points', () => {
  expect(publishedPoints).toHaveLength(6);
});

test.each([1000, 7777, 1e6])('the model gives what their own formula does: epochs of %d', (epoch) => {
  const { seconds, simulated, simulationSeconds, instructions, epochSeconds, communicationSeconds } = bressoudSchneider;
  const formula = (seconds + simulated * simulationSeconds + (instructions / epoch) * epochSeconds + communicationSeconds) / seconds;
  expect(normalizedPerformance(epoch)).toBeCloseTo(formula, 9);
});
