import type { AlternativePlan, CampaignPlan } from './campaign-plan';
import { draw } from './draw';
import { faultText } from './fault-text';
import { placeWidth } from './place';
import type { FaultEffect, FaultPlan, Plan, Trigger } from './plan';
import { bitsByPlace, drawBits } from './soft-errors';

/** Instructions that an alternative may strike at: `count` of them from `first` on. */
export interface InstructionRange {
  first: number;
  count: number;
}

/** One run of a campaign, counted from 1. */
export interface CampaignRun {
  number: number;
  /** Which of the campaign's alternatives strikes. */
  alternative: number;
  /** Its faults strike at the same time: as many as there are places that the alternative's bits have been drawn from, which is one as a rule. */
  plan: Plan;
}

/** Why a campaign has no runs, in one line. */
export class CampaignError extends Error {}

/**
 * The runs of a campaign, made one by one as they are asked for. Each is a function of the campaign and of its own number alone, so
 * that it runs again from that number, and a campaign of more runs begins with the same ones. Of `inject every` they are in the order
 * of the alternatives; of each, in that of instructions; and of each of these, in that of bits.
 */
export class CampaignRuns {
  readonly size: number;
  /** Of `inject every`, how many runs each alternative has. */
  readonly #spaces: readonly number[];
  readonly #weights: number;

  /** `ranges`: of each alternative with a trigger that is drawn, what it is drawn from (campaign-ranges.ts). Throws a {@link CampaignError} where runs cannot be numbered. */
  constructor(
    readonly campaign: CampaignPlan,
    private readonly ranges: readonly (InstructionRange | undefined)[],
  ) {
    const { alternatives, injections } = campaign;
    this.#weights = alternatives.reduce((sum, { weight }) => sum + weight, 0);
    if (injections.kind === 'drawn') {
      this.#spaces = [];
      this.size = injections.count;
      return;
    }
    const all = faultSpace(campaign, ranges);
    if (all > mostRuns) throw new CampaignError('there are more than 2^53 - 1 faults, which is more than can be numbered: draw from them with `inject N faults`');
    this.#spaces = alternatives.map((alternative, i) => Number(spaceOf(alternative, ranges[i])));
    this.size = Number(all);
  }

  /** A run by its number. Throws a RangeError where there is none. */
  run(number: number): CampaignRun {
    if (!Number.isSafeInteger(number) || number < 1 || number > this.size) throw new RangeError(`there is no run ${number}`);
    return this.campaign.injections.kind === 'every' ? this.#nth(number) : this.#drawn(number, this.campaign.injections.seed);
  }

  #drawn(number: number, seed: number): CampaignRun {
    const { alternatives } = this.campaign;
    let rest = draw(seed, `run ${number} alternative`, this.#weights);
    const index = alternatives.findIndex(({ weight }) => (rest -= weight) < 0);
    const alternative = this.#alternative(index);
    const range = this.ranges[index];
    const instruction = range && range.first + draw(seed, `run ${number} instruction`, range.count);
    const { effect } = alternative;
    const effects = effect.kind === 'flip-random' ? flips(drawBits(effect.places, effect.count, seed, `run ${number}`)) : [effect];
    return this.#made(number, index, effects, instruction);
  }

  #nth(number: number): CampaignRun {
    let rest = number - 1;
    const index = this.#spaces.findIndex((space) => {
      if (rest < space) return true;
      rest -= space;
      return false;
    });
    const range = this.ranges[index];
    const { effect } = this.#alternative(index);
    const choices = Number(choicesOf(effect));
    const choice = rest % choices;
    const instruction = range && range.first + (rest - choice) / choices;
    const effects = effect.kind === 'flip-random' ? flips(bitsByPlace(effect.places, combination(bitsOf(effect), effect.count, choice))) : [effect];
    return this.#made(number, index, effects, instruction);
  }

  #alternative(index: number): AlternativePlan {
    const alternative = this.campaign.alternatives[index];
    if (!alternative) throw new RangeError(`there is no alternative ${index}`);
    return alternative;
  }

  #made(number: number, index: number, effects: readonly FaultEffect[], instruction: number | undefined): CampaignRun {
    const { base, injections } = this.campaign;
    const { target, trigger: planned, lifetime, rhythm, range } = this.#alternative(index);
    const trigger: Trigger = planned.kind === 'any' ? { kind: 'instruction', count: instruction ?? 0 } : planned;
    const faults = effects.map((effect, i): FaultPlan => {
      const struck = { effect, target, trigger, ...(lifetime && { lifetime }), ...(rhythm && { rhythm }) };
      return { name: `fault ${i + 1}`, text: faultText(struck), ...struck, optional: false, ...(range && { range }) };
    });
    // Which bit of a message is corrupt is drawn in the run itself, from its seed.
    const drawsOn = effects.some((effect) => effect.kind === 'message' && effect.how === 'corrupt');
    const seed = drawsOn ? draw(injections.kind === 'drawn' ? injections.seed : base.seed, `run ${number} seed`, 2 ** 32) : base.seed;
    return { number, alternative: index, plan: { ...base, name: `${base.name}, run ${number}`, faults, seed } };
  }
}

const mostRuns = BigInt(Number.MAX_SAFE_INTEGER);

/** How many faults there are to draw from, each combination of random bits counted; any number above 2^53 where there are more. */
export function faultSpace({ alternatives }: Pick<CampaignPlan, 'alternatives'>, ranges: readonly (InstructionRange | undefined)[]): bigint {
  return alternatives.reduce((sum, alternative, i) => sum + spaceOf(alternative, ranges[i]), 0n);
}

function spaceOf({ effect }: AlternativePlan, range: InstructionRange | undefined): bigint {
  return BigInt(range?.count ?? 1) * choicesOf(effect);
}

type RandomFlip = Extract<FaultEffect, { kind: 'flip-random' }>;

/** In how many ways the bits of an effect can be drawn. */
function choicesOf(effect: FaultEffect): bigint {
  return effect.kind === 'flip-random' ? choose(bitsOf(effect), effect.count) : 1n;
}

function bitsOf({ places }: RandomFlip): number {
  return places.reduce((sum, place) => sum + placeWidth(place), 0);
}

/** Bits of several places are faults of their own, as each line of the language has one place. */
function flips(drawn: ReturnType<typeof bitsByPlace>): FaultEffect[] {
  return [...drawn].map(([place, bits]) => ({ kind: 'flip', place, bits }));
}

/** The number of sets of `size` of `total` things; a lower bound of it where that is too large to number them, since to know it would take for ever. */
function choose(total: number, size: number): bigint {
  let sets = 1n;
  for (let i = 0; i < Math.min(size, total - size) && sets <= mostRuns; i++) sets = (sets * BigInt(total - i)) / BigInt(i + 1);
  return sets;
}

/** The set of so many of `total` numbers from 0 on that is the `index`-th in the order of words in a dictionary. */
function combination(total: number, size: number, index: number): number[] {
  // By far the most frequent, and each one is asked for when a space is listed.
  if (size === 1) return [index];
  const chosen: number[] = [];
  let rest = BigInt(index);
  for (let next = 0; chosen.length < size; next++) {
    const having = choose(total - next - 1, size - chosen.length - 1);
    if (rest < having) chosen.push(next);
    else rest -= having;
  }
  return chosen;
}
