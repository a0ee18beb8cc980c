import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConsoleScript } from './console-script';

test('types each text after its cue, in order, as much as there is room for', () => {
  const script = new ConsoleScript([
    { awaited: 'login: ', text: 'root\n' },
    { awaited: '# ', text: 'ls\n' },
  ]);
  script.look(Buffer.from('# log'));
  expect(script.take(9)).toHaveLength(0);
  script.look(Buffer.from('in: # '));
  expect(Buffer.from(script.take(3)).toString()).toBe('roo');
  expect(Buffer.from(script.take(100)).toString()).toBe('t\nls\n');
  expect(script.take(1)).toHaveLength(0);
});

test('however the output comes in pieces, the same is typed', () => {
  const letters = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 3 }).map((list) => list.join(''));
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 4 }), fc.array(letters, { maxLength: 20 }), (cues, pieces) => {
      const entries = cues.map((awaited, i) => ({ awaited, text: String(i) }));
      const once = new ConsoleScript(entries);
      once.look(Buffer.from(pieces.join('')));
      const often = new ConsoleScript(entries);
      for (const piece of pieces) {
        often.look(Buffer.from(piece));
        const copy = new ConsoleScript(entries);
        copy.load(often.save());
        expect(copy.save()).toEqual(often.save());
      }
      expect(often.take(100)).toEqual(once.take(100));
    }),
  );
});
