import { setFlagsFromString } from 'node:v8';

/** V8's that have the flag: from where it came until where it is still known to be. An unknown flag would be complained about on stderr. */
const [firstMajor, lastMajor] = [9, 14];

let taken = false;

/**
 * Lets V8 look at branch hints. Without, the calls that are made on a TLB miss, which are rare, cost loops their registers: about a
 * tenth of the integer kernel's speed (docs/translator.md). What is computed is the same.
 */
export function takeBranchHints(): void {
  if (taken) return;
  taken = true;
  const major = Number.parseInt(process.versions.v8, 10);
  if (major >= firstMajor && major <= lastMajor) setFlagsFromString('--experimental-wasm-branch-hinting');
}
