import { describe, expect, it } from 'vitest';
import { scenarioAt, scenariosIn } from './scenario-marks';

const text = `// scenario "in a comment" {}
/* scenario "in another" { */
guest hello { elf "scenario.elf" }
scenario "first \\"one\\"" {
  guest hello
  expect output contains "}"
  expect output matches /}"{/
  protect dmr on core 0, core 1 { epoch 10 instructions }
}

scenario
  "second" { guest hello `;

describe('scenarios of a file', () => {
  it('are found outside of comments, strings and patterns', () => {
    expect(scenariosIn(text).map(({ name }) => name)).toEqual(['first "one"', 'second']);
  });

  it('reach from the keyword to the closing brace', () => {
    const [first, second] = scenariosIn(text);
    expect(text.slice(first?.start, first?.end)).toMatch(/^scenario "first[\s\S]*instructions \}\n\}$/);
    expect(second?.end).toBe(text.length);
  });

  it('are looked up by the cursor', () => {
    const marks = scenariosIn(text);
    expect(scenarioAt(marks, text.indexOf('protect'))?.name).toBe('first "one"');
    expect(scenarioAt(marks, text.lastIndexOf('hello'))?.name).toBe('second');
    expect(scenarioAt(marks, text.indexOf('elf'))).toBeUndefined();
  });

  it('keep escapes of every kind', () => {
    expect(scenariosIn('scenario "\\x41\\u{1F600}\\t\\\\" {}')[0]?.name).toBe('A\u{1F600}\t\\');
  });
});
