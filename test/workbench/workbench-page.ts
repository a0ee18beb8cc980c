import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type Locator, type Page } from 'playwright-core';
import { expect } from 'vitest';

const browserFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** One badge or text that an extension has put behind a line of source. */
export interface LineEnd {
  line: number;
  /** The texts in the order in which they stand. */
  texts: string[];
}

/** A VS Code window, used as a person would: keys, clicks, and what can be seen. */
export class WorkbenchPage {
  private constructor(
    private readonly browser: Browser,
    readonly page: Page,
    private readonly screenshots: string,
  ) {}

  static async open(chromiumPath: string, url: string, screenshots: string): Promise<WorkbenchPage> {
    mkdirSync(screenshots, { recursive: true });
    const browser = await chromium.launch({ executablePath: chromiumPath, args: browserFlags });
    try {
      const page = await browser.newPage({ viewport: { width: 1600, height: 960 } });
      page.setDefaultTimeout(30_000);
      await page.goto(url);
      await page.locator('.monaco-workbench').waitFor();
      await page.locator('.explorer-folders-view .monaco-list-row').first().waitFor();
      return new WorkbenchPage(browser, page, screenshots);
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.browser.close();
  }

  async screenshot(name: string): Promise<string> {
    const path = join(this.screenshots, `${name}.png`);
    await this.page.screenshot({ path });
    return path;
  }

  /** Runs a command by its title in the palette. */
  async command(title: string): Promise<void> {
    await this.page.keyboard.press('F1');
    await this.pickTyped(`>${title}`, title);
  }

  /** Opens a file of the folder by the end of its path. */
  async openFile(path: string): Promise<void> {
    await this.page.keyboard.press('Control+P');
    const name = path.replace(/^.*\//, '');
    await this.pickTyped(path, name);
    await this.tab(name).waitFor();
  }

  /** Puts the cursor there; both count from 1. */
  async goTo(line: number, column: number): Promise<void> {
    await this.page.keyboard.press('Control+G');
    await this.pickTyped(`:${line}:${column}`);
  }

  /** Types into the open quick input and accepts, once the list's first row is `first`. */
  private async pickTyped(text: string, first?: string): Promise<void> {
    const widget = this.page.locator('.quick-input-widget');
    await widget.locator('input.input').fill(text);
    // The list follows the text a moment later; an Enter before that picks something else.
    const label = this.page.locator('.quick-input-list .monaco-list-row[data-index="0"] .label-name').first();
    if (first !== undefined) await expect.poll(() => label.textContent(), { timeout: 20_000 }).toBe(first);
    // An Enter that comes too early for what is picked does nothing: once more.
    for (let tries = 0; tries < 10 && (await widget.isVisible()); tries++) {
      await this.page.keyboard.press('Enter');
      await widget.waitFor({ state: 'hidden', timeout: 1000 }).catch(() => undefined);
    }
    await widget.waitFor({ state: 'hidden' });
  }

  tab(name: string): Locator {
    return this.page.locator(`.editor-group-container.active .tab.active[data-resource-name="${name}"]`);
  }

  /** Squiggles of that severity in the visible part of the editor. */
  squiggles(severity: 'error' | 'warning'): Locator {
    return this.page.locator(`.monaco-editor .squiggly-${severity}`);
  }

  /** What the status bar says, item by item. */
  get statusBar(): Locator {
    return this.page.locator('.part.statusbar .statusbar-item');
  }

  get callStack(): Locator {
    return this.page.locator('.debug-call-stack .monaco-list-row');
  }

  get debugToolbar(): Locator {
    return this.page.locator('.debug-toolbar');
  }

  /** A button of the debug toolbar by its command: `step-back`, `continue`. */
  debugButton(icon: string): Locator {
    return this.debugToolbar.locator(`.codicon-debug-${icon}`);
  }

  /** Waits until the session is paused for that reason, as the call stack says it. */
  async paused(reason: string): Promise<void> {
    await this.callStack.filter({ hasText: new RegExp(`paused on ${reason}`, 'i') }).first().waitFor();
  }

  /** How many colours the text of the active editor has. */
  tokenColors(): Promise<number> {
    return this.page.evaluate<number>(tokenColorsInPage);
  }

  /** The visible text of the terminal, lines joined as it wraps them. */
  async terminalText(): Promise<string> {
    const rows = await this.page.locator('.terminal-wrapper.active .xterm-rows > div').allTextContents();
    return rows.join('\n').replaceAll('\u00a0', ' ');
  }

  /** What extensions have put behind the lines of the active editor. */
  lineEnds(): Promise<LineEnd[]> {
    return this.page.evaluate<LineEnd[]>(lineEndsInPage);
  }

  /** Ends the session from its toolbar. */
  async stopDebugging(): Promise<void> {
    await this.debugButton('stop').click();
    await this.debugToolbar.waitFor({ state: 'hidden' });
  }
}

// Strings, since they run in the page: the project is compiled without the DOM's types.

const tokenColorsInPage = `new Set(
  [...document.querySelectorAll('.editor-group-container.active .view-line span[class^="mtk"]')]
    .map((span) => getComputedStyle(span).color),
).size`;

const lineEndsInPage = `(() => {
  const editor = document.querySelector('.editor-group-container.active .monaco-editor');
  const numbers = new Map();
  for (const row of editor?.querySelectorAll('.margin-view-overlays > div') ?? []) {
    const digits = row.querySelector('.line-numbers')?.textContent;
    if (digits) numbers.set(row.style.top, Number(digits));
  }
  return [...(editor?.querySelectorAll('.view-lines > .view-line') ?? [])]
    .map((row) => ({
      line: numbers.get(row.style.top) ?? 0,
      texts: [...row.querySelectorAll('span[class*="ced-"]')]
        .map((span) => getComputedStyle(span, '::after').content)
        .filter((content) => content.startsWith('"'))
        .map((content) => JSON.parse(content).replaceAll('\\u00a0', ' ')),
    }))
    .filter(({ texts }) => texts.length > 0)
    .sort((a, b) => a.line - b.line);
})()`;
