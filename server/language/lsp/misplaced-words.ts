import type { LangiumDocument } from 'langium';
import * as ast from '../generated/ast';
import { ownerOf, runAt } from './cursor';

/** What only a campaign has, and what none has. */
const ofCampaigns: ReadonlySet<string> = new Set(['any', 'coverage', 'inject']);
const ofScenarios: ReadonlySet<string> = new Set(['fault', 'optional']);

/** True of a word that parses at an offset and has no place in the scenario or campaign there. */
export function isMisplacedWord(word: string, document: LangiumDocument, offset: number): boolean {
  if (!ofCampaigns.has(word) && !ofScenarios.has(word)) return false;
  const run = runAt(document, offset);
  if (!run) return false;
  if (!ownerOf(run, ast.isCampaign)) return ofCampaigns.has(word);
  // `inject 1 fault`, `inject every fault`.
  return ofScenarios.has(word) && !/\binject\s+\w+\s*$/.test(document.textDocument.getText().slice(0, offset).slice(-100));
}
