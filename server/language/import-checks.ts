import { UriUtils, type LangiumDocuments } from 'langium';
import type { Context } from './context';
import { part, rename } from './diagnostic';
import type * as ast from './generated/ast';
import { importCircle, resolvedUri, whyNoScenarioFile } from './imports';
import { encodeString, guesses, nearestFile, remove } from './mends';
import { decodeString } from './values';

/** Reports imports of files that cannot be read, that lead back here, or that stand twice. */
export async function reportImports(imports: readonly ast.Import[], context: Context, documents: LangiumDocuments): Promise<void> {
  const { reporter, document } = context;
  const seen = new Map<string, ast.Import>();
  for (const one of imports) {
    const path = one.path === undefined ? undefined : decodeString(one.path).value;
    if (path === undefined) continue;
    const place = part(one, 'path');
    const uri = resolvedUri(document, one.path);
    if (!uri) {
      reporter.error('COV203', place, 'the path of a file is missing');
      continue;
    }
    const earlier = seen.get(uri.toString());
    if (earlier) {
      const line = (earlier.$cstNode?.range.start.line ?? 0) + 1;
      reporter.error('COV202', place, `this file is imported in line ${line} already`, remove(one.$cstNode, 'Remove this import'), part(earlier, 'path'));
      continue;
    }
    seen.set(uri.toString(), one);
    if (!documents.hasDocument(uri)) {
      const nearest = await nearestFile(path, uri.fsPath);
      reporter.error('COV203', place, `${path} ${(await whyNoScenarioFile(uri.fsPath)) ?? 'cannot be read'}`, guesses(rename(place, nearest && encodeString(nearest))));
      continue;
    }
    const circle = importCircle(one, documents);
    if (!circle) continue;
    const names = circle.map((file) => UriUtils.basename(file.uri));
    const message = circle.length === 1 ? 'this file imports itself' : `this import leads back here: ${names.join(' imports ')}`;
    reporter.error('COV204', place, message, remove(one.$cstNode, 'Remove this import', true));
  }
}
