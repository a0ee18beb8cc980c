/** Which units may follow a number, and how that looks. */
export interface UnitWanted {
  units: readonly string[];
  example: string;
}

const duration: UnitWanted = { units: ['instructions', 'cycles', 'epochs', 'ns', 'us', 'ms', 's'], example: '5 ms' };
const instructions: UnitWanted = { units: ['instructions'], example: '10_000 instructions' };
const epochs: UnitWanted = { units: ['epochs'], example: '2 epochs' };
const cycles: UnitWanted = { units: ['cycles'], example: '20 cycles' };
const size: UnitWanted = { units: ['KiB', 'MiB', 'GiB'], example: '16 MiB' };
const frequency: UnitWanted = { units: ['MHz', 'GHz'], example: '2 GHz' };

const byWord: Readonly<Record<string, UnitWanted>> = {
  limit: instructions,
  epoch: instructions,
  watchdog: epochs,
  ram: size,
  l1i: size,
  l1d: size,
  at: duration,
  every: duration,
  for: duration,
  from: duration,
  until: duration,
  within: duration,
  in: duration,
  between: duration,
  and: duration,
};

/** The units of a number at the end of some text, by the words before it. */
export function unitWanted(before: string): UnitWanted {
  const [, words = '', word = ''] = /([^{}\n]*?)\b([a-z]\w*)\s+[\d][\w.]*\s*$/.exec(before) ?? [];
  if (word === 'at' && /\bcores\s+\w+\s+$/.test(words)) return frequency;
  if (word === 'every' && /\b(checkpoint|output|state)\s+$/.test(words)) return epochs;
  if (word === 'of') return /%\s+$/.test(words) ? duration : size;
  // What a chip's tables have entries for is counted in cycles.
  return byWord[word] ?? cycles;
}
