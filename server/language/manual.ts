import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { diagnosticCodes, type DiagnosticCode } from './diagnostic-codes';

/** The name of a code's section in docs/language.md, as Markdown's readers derive it from the heading. */
export function manualSection(code: DiagnosticCode): string {
  return `${code}: ${diagnosticCodes[code]}`.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-');
}

/** From the bundle and from the sources. */
const places = ['../docs/language.md', '../../docs/language.md'];
const manual = places.map((place) => path.resolve(__dirname, place)).find((each) => existsSync(each));
const whole = manual === undefined ? undefined : pathToFileURL(manual).href;

/** A code's section where the manual came along, as an absolute URI. */
export function manualUri(code: DiagnosticCode): string | undefined {
  return whole === undefined ? undefined : `${whole}#${manualSection(code)}`;
}
