import type { Neighbour, Plan } from './plan';
import type { SystemState } from './system';

/** The plans of all guests on a chip, each with the others for neighbours, in their order: they are one and the same run, seen by each of them. */
export function plansOfAll(plan: Plan): Plan[] {
  const { guest, protection, switches, faults, expectations, maxInstructions, range, neighbours = [], seat = 0 } = plan;
  if (neighbours.length === 0) return [plan];
  const own: Neighbour = { guest, protection, faults, expectations, maxInstructions, ...(switches && { switches }), ...(range && { range }) };
  const all = neighbours.toSpliced(seat, 0, own);
  const { name, chip, seed } = plan;
  return all.map((each, i) => ({ name, chip, seed, ...each, neighbours: all.toSpliced(i, 1), seat: i }));
}

/** A guest with nobody beside it. */
export function withoutNeighbours(plan: Plan): Plan {
  const { neighbours: _, seat: __, ...alone } = plan;
  return alone;
}

/** A state that one guest on a chip has saved, as another one of them would have. */
export function seenBy(state: SystemState, from: number, to: number): SystemState {
  const { neighbours = [], ...own } = state;
  const all = neighbours.toSpliced(from, 0, own);
  const [other] = all.splice(to, 1);
  if (!other) throw new RangeError(`there is no guest ${to}`);
  return { ...other, neighbours: all };
}
