import type { DetectionReport, Difference, DivergenceReport, FaultReport, Location, NeighbourReport, Report } from '../../engine/covert/report';
import { guestLines } from './guest-lines';
import { memoryLines } from './memory-lines';
import { atMost, indent, labelled, table, wrap } from './layout';
import { count, counted, percent } from './numbers';
import { printable, shownPath, type Screen } from './terminal';

/** How much of a long list one screen shows. */
const most = { faults: 6, divergences: 3, differences: 8, detections: 6, recoveries: 6 };

/** One scenario's report as text for people, ending in a line break. */
export function formatReport(report: Report, screen: Screen): string {
  const { width, colors } = screen;
  const { neighbours = [] } = report;
  const verdictOf = (passed: boolean): string => (passed ? colors.green('passed') : colors.red('failed'));
  const titled = (title: string, passed: boolean): string => `${title}${' '.repeat(Math.max(1, width - printable(title).length - 'passed'.length))}${verdictOf(passed)}`;
  const title = printable(report.scenario);
  const lines = [
    '',
    `${colors.bold(title)}${' '.repeat(Math.max(1, width - title.length - 'passed'.length))}${verdictOf(report.passed)}`,
    colors.dim('─'.repeat(width)),
    ...(neighbours.length > 0 ? [titled(`guest ${printable(report.guest.name ?? '')}`, holdsAlone(report))] : []),
    ...guestRows(report, screen, neighbours.length > 0),
    ...neighbours.flatMap((each) => ['', titled(`guest ${printable(each.guest.name ?? '')}`, each.passed), ...guestRows(each, screen, true)]),
  ];
  return `${lines.join('\n')}\n`;
}

/** What is expected of the scenario's own guest, whatever has become of the others. */
function holdsAlone({ faults, expectations, missedSwitches }: NeighbourReport): boolean {
  return missedSwitches === undefined && faults.every(({ fired, optional }) => fired || optional) && expectations.every(({ held }) => held);
}

/** What there is to say of one guest. */
function guestRows(report: NeighbourReport, { width, colors }: Screen, isOneOfSeveral: boolean): string[] {
  const row = (label: string, lines: string[]): string[] => labelled(label, lines, colors.dim);
  const room = width - indent;
  return [
    ...row('ablation', ablationLines(report, room)),
    ...row('guest said', guestLines(report, colors.red)),
    ...row('fault', atMost(report.faults, most.faults, (fault, index) => faultLines(fault, index, room, isOneOfSeveral))),
    ...row('diverged', divergenceLines(report)),
    ...row('noticed', detectionLines(report, room)),
    ...row('escaped', escapeLines(report, room)),
    ...row('recovered', recoveryLines(report, room)),
    ...row('released', releasedLines(report)),
    ...row('cost', costLines(report)),
    ...row('memory', memoryLines(report)),
    ...row(
      'expected',
      report.expectations.flatMap(({ text, line, held, reason }) => [
        `${held ? colors.green('✓') : colors.red('✗')} ${printable(text)}  ${colors.dim(`line ${line}`)}`,
        ...(reason === undefined || held ? [] : wrap(printable(reason), room - 4).map((part) => `    ${part}`)),
      ]),
    ),
  ];
}

/** `crc32_update, examples/checksum/checksum.c:35`, or what is known of it. */
export function placeOf({ function: name, file, line, pc }: Partial<Location>): string {
  const source = file === undefined ? undefined : `${shownPath(file)}:${line ?? '?'}`;
  const known = [name, source].filter((part) => part !== undefined);
  return printable(known.length > 0 ? known.join(', ') : `pc ${pc ?? 'unknown'}`);
}

/** What was left uncoordinated on purpose, so that nobody takes what comes of it for an error. */
function ablationLines({ protection: { uncoordinated = [] }, divergences, faults }: NeighbourReport, room: number): string[] {
  if (uncoordinated.length === 0) return [];
  const why = divergences.length === 0 ? '' : faults.some(({ fired }) => fired) ? '; where replicas differ without a fault, they differ by that' : '; the replicas differ by that, and by no fault';
  return wrap(`${uncoordinated.join(', ')} left uncoordinated: each core has its own${why}`, room);
}

function faultLines(fault: FaultReport, index: number, room: number, isOneOfSeveral: boolean): string[] {
  // One that the scenario gives no name has its number for one.
  const text = wrap(printable(fault.name === `fault ${index + 1}` ? fault.text : `${fault.name}: ${fault.text}`), room);
  if (!fault.fired) return [...text, `  never struck${fault.optional ? ' (it may)' : ', so nothing was tested'}${fault.hits === undefined ? '' : `: what it waits for came ${counted(fault.hits, 'time')}`}`];
  const where = fault.replica === undefined ? '' : `replica ${fault.replica} on core ${fault.core ?? '?'} `;
  return [
    ...text,
    `  struck ${where}at instruction ${count(fault.instruction ?? 0)}${fault.times === undefined ? '' : fault.times === 1 ? ', and not again' : `, ${counted(fault.times, 'time')} in all`}`,
    fault.pc === undefined ? (fault.shared ? '  in what is one for all replicas' : `  where ${isOneOfSeveral ? 'the guest did not run' : 'nobody ran'}`) : `  in ${placeOf(fault)} (pc ${fault.pc})`,
    ...(fault.change === undefined ? [] : wrap(printable(fault.change), room - 2).map((part) => `  ${part}`)),
  ];
}

/** Whether nobody looked for differences: over real sockets an unprotected guest has neither a peer nor a run without faults. */
export const isUnwatched = ({ faults, released, protection }: NeighbourReport): boolean =>
  released.corrupt === null && protection.start === 'none' && protection.wanted === undefined && faults.some(({ fired }) => fired);

function divergenceLines(report: NeighbourReport): string[] {
  const { divergences, detections, released } = report;
  if (divergences.length === 0) {
    if (isUnwatched(report)) return ['unknown: over real sockets there is no run without faults to compare with'];
    if (detections.length === 0 && !released.corrupt) return ['never: every instruction gave the same results'];
    return whereElse(detections);
  }
  return atMost(divergences, most.divergences, (divergence) => [
    `first different result: instruction ${count(divergence.instruction)} of replica ${divergence.replica}`,
    `  in ${placeOf(divergence)} (pc ${divergence.pc})`,
    ...differenceTable(divergence).map((line) => `  ${line}`),
  ]);
}

/** Why nothing differs in what instructions came to, though something does. */
function whereElse(detections: readonly DetectionReport[]): string[] {
  const all = (is: (detection: DetectionReport) => boolean): boolean => detections.length > 0 && detections.every(is);
  if (all(({ by, what }) => by === 'state' || (by === 'vote' && what.startsWith('state of ')))) return ['in no result of an instruction: none has used what differs', '  (the states differ themselves, and were compared)'];
  if (all(({ by }) => by === 'machine check')) return ['in no result of an instruction: a component has died'];
  return ['in no result of an instruction: what differs has not gone through a core', '  (a device has read it from memory, or a component has died)'];
}

function differenceTable({ differs, differing }: DivergenceReport): string[] {
  if (differs.length === 0) return [];
  const columns = (['A', 'B', 'C', 'reference'] as const).filter((name) => differs.some((one) => one[name] !== undefined));
  const heads = columns.map((name) => (name === 'reference' ? 'fault-free' : `replica ${name}`));
  const shown = differs.slice(0, most.differences);
  const rows = shown.map((one) => [one.place, ...columns.map((name) => one[name] ?? ''), flippedBits(one)]);
  const more = (differing ?? differs.length) - shown.length;
  return [...table([['', ...heads, ''], ...rows]), ...(more > 0 ? [`… and ${counted(more, 'place')} more`] : [])];
}

/** `bit 17`, `bits 3, 4`, `21 bits`: in what two values differ. */
function flippedBits({ A, B, C, reference }: Difference): string {
  const [first, second] = [A, B, C, reference].filter((value) => value !== undefined);
  if (first === undefined || second === undefined) return '';
  const flipped = BigInt(first) ^ BigInt(second);
  const bits = Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => (flipped >> BigInt(bit)) & 1n);
  if (bits.length === 0 || bits.length > 4) return `${bits.length} bits`;
  return `${bits.length === 1 ? 'bit' : 'bits'} ${bits.join(', ')}`;
}

function detectionLines({ detections, divergences, protection }: NeighbourReport, room: number): string[] {
  if (detections.length === 0) {
    if (protection.start === 'none' && protection.wanted === undefined) return ['no: without protection nobody compares'];
    return [divergences.length === 0 ? 'nothing, and there was nothing to notice' : 'nothing: the difference died out'];
  }
  return atMost(detections, most.detections, ({ by, instruction, latency, what }) => [
    `by ${by} at instruction ${count(instruction)}` +
      (latency < 0 ? '' : `, ${counted(latency, 'instruction')} after the fault`),
    ...wrap(printable(what), room - 2).map((part) => `  ${part}`),
  ]);
}

/** What was let through by what should have found it. */
function escapeLines({ escapes = [] }: NeighbourReport, room: number): string[] {
  return escapes.flatMap(({ by, instruction, what }) => [`${by} at instruction ${count(instruction)}`, ...wrap(printable(what), room - 2).map((part) => `  ${part}`)]);
}

function recoveryLines(report: NeighbourReport, room: number): string[] {
  const { guest, recoveries, protection, detections, released, missedSwitches = [] } = report;
  const shown = recoveries.slice(0, most.recoveries);
  const lines = [
    ...shown.map(({ moment, by, to, replayed }) => ({
      moment,
      line: replayed === 0 && by !== 'rollback' ? `by ${by} at instruction ${count(to)}` : `by ${by} to instruction ${count(to)}; ${counted(replayed, 'instruction')} run again`,
    })),
    ...hardwareLines(report),
  ].sort((a, b) => a.moment - b.moment).flatMap(({ line }) => wrap(line, room));
  if (recoveries.length > shown.length) lines.push(`… and ${recoveries.length - shown.length} more (--json has all)`);
  const changed = [
    ...missedSwitches.flatMap(({ to, cores }) => wrap(`protection was never switched to ${to} on ${coresText(cores)}: the run was over before`, room)),
    ...((protection.wanted ?? protection.start) === protection.end ? [] : [`protection went from ${protection.wanted ?? protection.start} to ${protection.end}`]),
  ];
  if (lines.length + changed.length > 0) return [...lines, ...changed];
  if (guest.ended !== 'exit') return [detections.length > 0 ? 'no' : 'no: the guest did not come to its end'];
  return [detections.length > 0 || released.corrupt ? 'no' : 'no need'];
}

/** What the VMM did with the chip, and when. */
function hardwareLines({ diagnoses = [], retirements = [], clones = [], switches = [], degradations = [] }: NeighbourReport): { moment: number; line: string }[] {
  return [
    ...switches.map(({ moment, instruction, to, cores }) => ({ moment, line: `protection was switched to ${to} at instruction ${count(instruction)}, on ${coresText(cores)}` })),
    ...diagnoses.map(({ moment, replica, core, what }) => ({ moment, line: `replica ${replica} on core ${core}: ${what}` })),
    ...retirements.map(({ moment, component, why }) => ({ moment, line: `${component} is retired: ${why}` })),
    ...clones.map(({ moment, replica, core, instruction, cycles, seconds }) => ({
      moment,
      line: `replica ${replica} was made anew on core ${core} at instruction ${count(instruction)}; the guest stood still for ${(seconds * 1e3).toPrecision(3)} ms (${count(cycles)} cycles)`,
    })),
    ...degradations.map(({ moment, replica, instruction, why }) => ({ moment, line: `replica ${replica} was given up at instruction ${count(instruction)}: ${why}` })),
  ];
}

function coresText(cores: readonly number[]): string {
  return cores.map((core) => `core ${core}`).join(', ');
}

function releasedLines({ released, guest, protection }: NeighbourReport): string[] {
  const { bytes, ofBytes, sha256, corrupt, firstWrongByte, disk, network } = released;
  const elsewhere = disk?.corrupt || network?.corrupt ? 'what devices were given is wrong' : `exit ${guest.exit ?? 'missing'} is wrong`;
  const against = protection.uncoordinated ? ', beside a run with coordinated inputs' : '';
  const wrong = `${firstWrongByte === undefined ? elsewhere : `wrong from byte ${firstWrongByte} on`}${against}`;
  return [
    `${ofBytes === null || bytes === ofBytes ? counted(bytes, 'byte') : `${count(bytes)} of ${counted(ofBytes, 'byte')}`}${bytes === 0 ? '' : ', each once'}, ` +
      (corrupt === null ? unrepeatable : corrupt ? `CORRUPT: ${wrong}` : 'none wrong'),
    `sha256 ${sha256}`,
    ...(disk ? [`${counted(disk.writes, 'disk write')} of ${counted(disk.bytes, 'byte')}${verdictOn(disk)}`] : []),
    ...(disk?.refused ? [`the image refused some of it (${disk.refused.why}): ${disk.refused.flushes === 1 ? 'a flush' : `${count(disk.refused.flushes)} flushes`} failed`] : []),
    ...(network ? [`${counted(network.frames, 'frame')} of ${counted(network.bytes, 'byte')} to the network${verdictOn(network)}`] : []),
  ];
}

const unrepeatable = 'nothing to compare with: real sockets';

/** Of data that has left for a device; nothing where nobody knows. */
function verdictOn({ corrupt }: { corrupt: boolean | null }): string {
  if (corrupt === null) return '';
  return corrupt ? ', CORRUPT' : ', none wrong';
}

function costLines({ cycles }: NeighbourReport): string[] {
  const { unprotected, overhead } = cycles;
  const dearest = cycles.events.filter((event) => event.count > 0 && event.cycles > 0);
  const rows = dearest.map((event) => [
    event.event,
    `${count(event.count)} ×`,
    `${count(event.cycles)} cycles`,
    unprotected === null || unprotected === 0 ? '' : percent(event.cycles / unprotected),
  ]);
  const total =
    unprotected === null
      ? `${count(cycles.protected)} cycles; a run over real sockets cannot be repeated, so there is no overhead to give`
      : overhead === null
      ? `${count(cycles.protected)} cycles; the run was not whole, so there is no overhead to give`
      : `${percent(Math.abs(overhead))} ${overhead < 0 ? 'fewer' : 'more'} cycles than unprotected: ` +
        `${count(cycles.protected)} for ${count(unprotected)}`;
  return [
    total,
    ...(cycles.costs ? [`by another cost table than the default: ${Object.entries(cycles.costs).map(([name, value]) => `${name} ${value}`).join(', ')}`] : []),
    ...table(rows, [false, true, true, true]).map((line) => `  ${line}`),
  ];
}
