import { AstUtils } from 'langium';
import type { Context } from './context';
import { head } from './diagnostic';
import * as ast from './generated/ast';
import { remove } from './mends';

/** True of a statement that parses where it has no place: a fault in a campaign, `inject` in a scenario. */
export function isMisplaced(item: ast.ScenarioItem | ast.CampaignItem | ast.BesideItem): boolean {
  return ast.isFault(item) ? AstUtils.getContainerOfType(item, ast.isCampaign) !== undefined : ast.isInjection(item) && ast.isScenario(item.$container);
}

/** True of what is expected of all runs of a campaign together. */
export function isOfWhole({ condition, $container }: ast.Expectation): boolean {
  return ast.isCoverage(condition) && ast.isCampaign($container);
}

/** Reports statements that parse where they have no place. */
export function reportMisplaced(run: ast.Scenario | ast.Campaign, { reporter }: Context): void {
  const all: readonly (ast.ScenarioItem | ast.CampaignItem | ast.BesideItem)[] = [...run.items, ...run.items.flatMap((item) => (ast.isBeside(item) ? item.items : []))];
  for (const item of all.filter(isMisplaced)) {
    const message = ast.isFault(item) ? 'a campaign has no faults but those that it injects: make this one an alternative of `inject N faults { … }`' : '`inject` is for campaigns: write `fault …` here, or `campaign "NAME" { … }` around it';
    reporter.error('COV212', head(item), message, remove(item.$cstNode, `Remove this \`${ast.isFault(item) ? 'fault' : 'inject'}\``, true));
  }
}
