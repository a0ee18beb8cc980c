import { AstUtils, GrammarAST, URI } from 'langium';
import { expect, test } from 'vitest';
import { CovertGrammar } from './generated/grammar';
import { createCovertServices } from './services';

const rules = CovertGrammar().rules.filter(GrammarAST.isParserRule);
const rulesWith = (is: (node: unknown) => boolean): string[] => rules.filter((rule) => AstUtils.streamAllContents(rule).some(is)).map(({ name }) => name);

test('the grammar names chips and guests where the linker looks for names, and nowhere else', () => {
  expect(rulesWith(GrammarAST.isCrossReference)).toEqual(['ChipUse', 'GuestUse']);
  const calls = (name: string) => (node: unknown): boolean => GrammarAST.isRuleCall(node) && node.rule.$refText === name;
  expect(rulesWith(calls('ChipUse'))).toEqual(['ScenarioItem', 'CampaignItem']);
  expect(rulesWith(calls('GuestUse'))).toEqual(['ScenarioItem', 'Beside', 'CampaignItem']);
  expect(rulesWith(calls('Beside'))).toEqual(['ScenarioItem', 'CampaignItem']);
});

test('each name is linked, and is found again as a use', async () => {
  const { shared, references } = createCovertServices();
  const uses = 'chip c guest g beside guest h { } ';
  const text = `chip c { } guest g { } guest h { } scenario "s" { ${uses} } campaign "k" { ${uses} inject 1 fault { } }`;
  const document = shared.workspace.LangiumDocumentFactory.fromString(text, URI.file('/linking.covert'));
  shared.workspace.LangiumDocuments.addDocument(document);
  await shared.workspace.DocumentBuilder.build([document], { validation: false });
  const all = AstUtils.streamAst(document.parseResult.value).flatMap((node) => AstUtils.streamReferences(node)).toArray();
  expect(all.map(({ reference }) => `${reference.$refText} ${reference.error?.info.property ?? 'linked'}`)).toEqual(['c linked', 'g linked', 'h linked', 'c linked', 'g linked', 'h linked']);
  for (const name of ['c', 'g', 'h']) {
    const declared = AstUtils.streamAllContents(document.parseResult.value).find((node) => (node as { name?: string }).name === name);
    expect(declared && references.References.findReferences(declared, {}).count()).toBe(2);
  }
});
