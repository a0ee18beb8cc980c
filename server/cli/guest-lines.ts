import type { Report } from '../../engine/covert/report';
import { counted } from './numbers';
import { printable } from './terminal';

/** Lines shown at either end of a long output. */
const ends = 4;

/** How a guest's run ended, in words. */
export const endings: Record<Report['guest']['ended'], string> = {
  exit: 'ended by itself',
  limit: 'was cut off at its instruction limit',
  hung: 'hung',
  stopped: 'was stopped by COVERT rather than trusted',
};

/**
 * What the guest printed and how it ended. A long output is cut; the line with
 * the first wrong byte is always there, and marked.
 */
export function guestLines({ guest, released }: Pick<Report, 'guest' | 'released'>, alarm: (text: string) => string): string[] {
  const end = guest.exit === null ? endings[guest.ended] : `exit ${guest.exit}`;
  const closing = `${end} after ${counted(guest.instructions, 'instruction')}`;
  if (guest.output === '') return ['nothing', closing];
  // A terminal's line ends are a line feed alone, or one behind a carriage return.
  const lines = guest.output.replace(/\r?\n$/, '').split(/\r?\n/);
  const wrong = released.firstWrongByte === undefined ? -1 : lineOfByte(guest.output, released.firstWrongByte);
  const shown: string[] = [];
  for (let index = 0, hidden = 0; index < lines.length; index++) {
    const inside = index >= ends && index < lines.length - ends && lines.length > 2 * ends + 1;
    if (inside && index !== wrong) hidden++;
    else {
      if (hidden > 0) shown.push(`… ${counted(hidden, 'line')} …`);
      hidden = 0;
      const line = `│ ${printable(lines[index] ?? '')}`;
      shown.push(index === wrong ? `${alarm(line)}   ← first wrong byte` : line);
    }
  }
  return [...shown, closing];
}

/** The index of the line that holds a byte of the text's UTF-8 form. */
function lineOfByte(text: string, byte: number): number {
  return Buffer.from(text).subarray(0, byte).toString('latin1').split('\n').length - 1;
}
