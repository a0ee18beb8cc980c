import type { CompletionContext, CompletionValueItem, FuzzyMatcher } from 'langium/lsp';
import { decodeName } from '../values';

/** What is typed of a name behind its opening backtick; undefined where no name between backticks is being written. */
export function typedInBackticks({ textDocument, tokenOffset, offset }: CompletionContext): string | undefined {
  return /^`([^`]*)$/.exec(textDocument.getText().slice(tokenOffset, offset))?.[1];
}

/** An item for a name of which the opening backtick is there: it replaces that, and takes the place of a closing one behind the cursor. */
export function quotedItem(item: CompletionValueItem, label: string, context: CompletionContext, matcher: FuzzyMatcher): CompletionValueItem | undefined {
  const typed = typedInBackticks(context);
  if (typed === undefined || !matcher.match(typed, label)) return undefined;
  const { textDocument, tokenOffset, offset, position } = context;
  // The lexer takes what is as far as the next backtick for a name; whether that closes this one, the text between them says.
  const [closing = ''] = /^[\w$.]*`/.exec(textDocument.getText().slice(offset, context.tokenEndOffset)) ?? [];
  const name = `\`${decodeName(item.insertText ?? label)}\``;
  return {
    ...item,
    filterText: name,
    textEdit: { range: { start: textDocument.positionAt(tokenOffset), end: { line: position.line, character: position.character + closing.length } }, newText: name },
  };
}
