import { expect, test } from 'vitest';
import { quoteText } from './format';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('text ends at its NUL, or is marked as cut', () => {
  expect(quoteText(bytes('one\0two'), true)).toBe('"one"');
  expect(quoteText(bytes('endless'), true)).toBe('"endless"…');
  expect(quoteText(bytes('full'), false)).toBe('"full"');
});

test('what cannot be shown is escaped', () => {
  expect(quoteText(bytes('a "b" \\ \n\x1b'), false)).toBe('"a \\"b\\" \\\\ \\n\\x1b"');
  expect(quoteText(bytes('grün'), false)).toBe('"grün"');
  expect(quoteText(Uint8Array.of(0x67, 0xfc, 0x6e), false)).toBe('"g\\xfcn"');
});
