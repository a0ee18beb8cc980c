/** The kernel's names, a hundred thousand of them, in scenarios of a stock Linux guest. */
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CompletionItem, CompletionList, Hover, InlayHint } from 'vscode-languageserver-protocol';
import { debianFiles } from '../../server/guest/debian';
import { marked, type LanguageClient } from './language-client';
import { closeScratch, openScratch, scratchFolder } from './scratch-folder';

const debian = debianFiles();
const noDebian = 'missing' in debian ? ` (skipped: no ${debian.missing} of npm run guest:debian)` : '';

describe.skipIf(noDebian !== '')(`names of the kernel${noDebian}`, () => {
  let folder = '';
  let client: LanguageClient;
  let scratch = '';
  beforeAll(async () => {
    folder = await scratchFolder('linux');
    await rm(`${folder}/checksum.elf`);
    ({ client, scratch } = await openScratch(folder));
  });
  afterAll(() => closeScratch(folder, client));

  const guest = 'guest web { linux debian ram 256 MiB }\n';
  const scenario = (trigger: string): string => `${guest}scenario "s" { guest web protect dmr fault flip a0 bit 1 in replica B at ${trigger} expect exit 0 }\n`;

  async function ask<T>(method: string, trigger: string): Promise<T> {
    const { text, position } = marked(scenario(trigger));
    expect(await client.change(scratch, text)).toBeDefined();
    return client.at<T>(method, scratch, position);
  }

  test('are offered as they are typed, the rest is looked up with one', async () => {
    const { items, isIncomplete } = await ask<CompletionList>('textDocument/completion', 'panic|');
    const labels = items.map(({ label }) => label);
    expect(labels).toContain('panic');
    expect(labels).toContain('panic_on_oops');
    expect(items.length).toBeLessThan(1000);
    expect(isIncomplete).toBe(true);
    const panic = items.find(({ label }) => label === 'panic');
    const resolved = await client.connection.sendRequest<CompletionItem>('completionItem/resolve', panic);
    expect(resolved.documentation).toMatchObject({ value: expect.stringMatching(/^\*\*panic\*\* — function[^]*`0xffffffff8[0-9a-f]{7}`$/) as string });
  });

  test('are not offered all at once', async () => {
    const { items, isIncomplete } = await ask<CompletionList>('textDocument/completion', '|');
    expect(isIncomplete).toBe(true);
    expect(items.length).toBeGreaterThan(500);
    expect(items.length).toBeLessThan(2000);
  });

  test('are shown with their address, and a guest with its kernel', async () => {
    const { contents } = await ask<Hover>('textDocument/hover', 'pan|ic');
    expect(contents).toMatchObject({ value: expect.stringMatching(/^\*\*panic\*\*[^]*0xffffffff8/) as string });
    const about = await client.at<Hover>('textDocument/hover', scratch, { line: 0, character: 7 });
    expect(about.contents).toMatchObject({ value: expect.stringMatching(/stock Linux/) as string });
    const range = { start: { line: 0, character: 0 }, end: { line: 2, character: 0 } };
    const hints = await client.of<InlayHint[]>('textDocument/inlayHint', scratch, { range });
    expect(hints.map(({ label }) => label as string).some((label) => label.includes('0xffffffff8'))).toBe(true);
  });
});
