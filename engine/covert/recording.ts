import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { CostChanges } from '../chip/cost-table';
import type { Input } from './input-log';
import type { Neighbour, Plan } from './plan';
import type { Report } from './report';

/**
 * A saved run: all that came from outside, and what came of it. Together with the files that the scenario names it is the run itself, since a guest is a
 * function of its state and its inputs; so those files are not in it, but by which they are known.
 *
 * As a file: the line `COVERT recording 1 SHA-256`, the hash being of what follows; then JSON, compressed (deflate, RFC 1951).
 */
export interface Recording {
  /** The scenario: its file, relative to the recording's folder with `/`, that file's text, and its name in it. */
  scenario: { file: string; text: string; name: string };
  /** The timing that was asked for in place of what the scenario's chip says. */
  timing?: 'fast' | 'detailed';
  subject: Subject;
  /** The chip's costs, where they were not the scenario's. */
  costs?: CostChanges;
  inputs: readonly Input[];
  /** What the other guests were handed, if there are any, in their order. */
  neighbours?: readonly (readonly Input[])[];
  /** SHA-256 of the first live replica's whole state at moments on the way. */
  states: readonly Mark[];
  report: Report;
  /** Blocks of 4 KiB of the guest's writable disks that the run has written to, as they were before; no content stands for zeros. */
  overwritten?: readonly { disk: number; block: number; content: Uint8Array }[];
}

/** A state that the run went through. */
export interface Mark {
  moment: number;
  sha256: string;
}

/** By what the parts of a plan are known: SHA-256 each, hex. */
export type Subject = Readonly<Record<string, string>>;

/** A file that holds no recording, or not a whole one: one clear line. */
export class RecordingError extends Error {}

const version = 1;
const heading = /^COVERT recording (\d+) ([0-9a-f]{64})\n/;
/** What a recording unpacks to at most: a gibibyte. */
const mostUnpacked = 2 ** 30;

export function writeRecording(recording: Recording): Buffer {
  const text = JSON.stringify(recording, (_, value: unknown) => (value instanceof Uint8Array ? { base64: Buffer.from(value).toString('base64') } : value));
  const body = deflateRawSync(text);
  return Buffer.concat([Buffer.from(`COVERT recording ${version} ${sha256(body)}\n`), body]);
}

/** Throws {@link RecordingError}. */
export function readRecording(file: Uint8Array): Recording {
  const [line, found, hash] = heading.exec(Buffer.from(file.subarray(0, 128)).toString('latin1')) ?? [];
  if (line === undefined) throw new RecordingError('it holds no recording of a run');
  if (Number(found) !== version) throw new RecordingError(`it is a recording of version ${found}, and this tool reads version ${version}`);
  const body = file.subarray(line.length);
  if (sha256(body) !== hash) throw new RecordingError('it is not whole: it was cut off or changed');
  return JSON.parse(inflateRawSync(body, { maxOutputLength: mostUnpacked }).toString('utf8'), (_, value: unknown) => (isPacked(value) ? new Uint8Array(Buffer.from(value.base64, 'base64')) : value)) as Recording;
}

/** What a plan is made of, each part by its hash. Reads whole disk images. */
export function subjectOf(plan: Plan): Subject {
  const { neighbours = [], ...own } = plan;
  return Object.assign(partsOf(own, 'the guest', 'the scenario'), ...neighbours.map((each) => partsOf(each, `guest ${each.guest.name}`, `what concerns guest ${each.guest.name}`))) as Subject;
}

function partsOf(plan: Plan | Neighbour, who: string, scenario: string): Subject {
  const { guest, ...others } = plan;
  const { image, linux, path: _, disks = [], ...described } = guest;
  const { initialDisk, systemMap: __, firmware, ...kernel } = linux ?? {};
  const plain = { ...others, guest: { ...described, ...kernel, disks: disks.map(({ readOnly, writable }) => (writable ? 'writable' : (readOnly ?? false))) } };
  // Where the scenario stands in a file is not what it says.
  const text = JSON.stringify(plain, (key, value: unknown) => (key === 'range' || key === 'start' ? undefined : typeof value === 'bigint' ? `0x${value.toString(16)}` : value));
  return {
    [scenario]: sha256(Buffer.from(text)),
    [linux ? `${who}'s kernel` : `${who}'s ELF`]: sha256(image),
    ...(initialDisk && { [`${who}'s initial RAM disk`]: sha256(initialDisk) }),
    ...(firmware && { [`${who}'s firmware`]: sha256(firmware) }),
    ...Object.fromEntries(disks.map(({ image: disk }, i) => [`${who}'s disk ${i}`, disk.sha256()])),
  };
}

/** What a disk's image is called in a subject. */
export function diskPart(number: number): string {
  return `the guest's disk ${number}`;
}

/** The first part in which two subjects differ, in words; undefined where they are the same. */
export function differenceOf(recorded: Subject, found: Subject): string | undefined {
  return [...new Set([...Object.keys(recorded), ...Object.keys(found)])].find((part) => recorded[part] !== found[part]);
}

function isPacked(value: unknown): value is { base64: string } {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 1 && typeof (value as { base64?: unknown }).base64 === 'string';
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
