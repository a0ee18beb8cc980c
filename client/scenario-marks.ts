/**
 * Where the scenarios stand in a `.covert` file. The language server knows it
 * better, but F5 must work while it is still starting, or when it cannot: so
 * this reads no more of the grammar than comments, strings and braces.
 */

export interface ScenarioMark {
  name: string;
  /** Offset of the word `scenario`. */
  start: number;
  /** Offset just after the closing brace, or the text's end if there is none. */
  end: number;
}

const token =
  /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\bmatches\s*\/(?:\\.|[^/\\\n])*\/?|"(?:\\.|[^"\\\n])*"?|`[^`\n]*`?|[A-Za-z_]\w*|[{}]/g;

/** The scenarios of a file in order; names are unescaped. */
export function scenariosIn(text: string): ScenarioMark[] {
  const marks: ScenarioMark[] = [];
  let depth = 0;
  let keyword: number | undefined;
  let open: ScenarioMark | undefined;
  for (const match of text.matchAll(token)) {
    const [word] = match;
    if (word.startsWith('//') || word.startsWith('/*')) continue;
    if (word === '{') depth++;
    else if (word === '}') {
      depth = Math.max(0, depth - 1);
      if (depth === 0 && open) {
        open.end = match.index + 1;
        open = undefined;
      }
    } else if (depth === 0 && word.startsWith('"') && keyword !== undefined) {
      open = { name: unescape(word), start: keyword, end: text.length };
      marks.push(open);
    }
    keyword = depth === 0 && word === 'scenario' ? match.index : undefined;
  }
  return marks;
}

/** The scenario that `offset` stands in, or `undefined` between scenarios. */
export function scenarioAt(marks: readonly ScenarioMark[], offset: number): ScenarioMark | undefined {
  return marks.find(({ start, end }) => offset >= start && offset <= end);
}

function unescape(literal: string): string {
  return literal
    .replace(/^"|"$/g, '')
    .replace(/\\(?:x([0-9a-fA-F]{2})|u\{([0-9a-fA-F]{1,6})\}|(.))/g, (_, byte?: string, point?: string, letter?: string) => {
      const code = byte ?? point;
      if (code !== undefined) return String.fromCodePoint(Math.min(parseInt(code, 16), 0x10ffff));
      return letter === 'n' ? '\n' : letter === 't' ? '\t' : (letter ?? '');
    });
}
