import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageExtension } from '../../scripts/package';
import { root, startServer, type WorkbenchServer } from '../../scripts/workbench-server';
import { findChromium, setUpWorkbench } from '../../scripts/workbench-setup';
import { WorkbenchPage } from './workbench-page';

/** Quiet, reproducible, and like what a newcomer sees. */
const settings = {
  'chat.commandCenter.enabled': false,
  'debug.toolBarLocation': 'floating',
  'editor.fontFamily': '"DejaVu Sans Mono", monospace',
  'editor.minimap.enabled': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'git.enabled': false,
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  // Drawn as text, which a test can read.
  'terminal.integrated.gpuAcceleration': 'off',
  'window.commandCenter': false,
  'workbench.colorTheme': 'Default Dark Modern',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

export interface Harness {
  window: WorkbenchPage;
  /** The folder that is open: a copy of examples/, free to be changed. */
  folder: string;
  /** A folder for this run alone, deleted at the end; `folder` stands in it. */
  temporary: string;
  server: WorkbenchServer;
  close(): Promise<void>;
}

export interface HarnessOptions {
  /** Paths that the window's URL hands to the extension host, by name. */
  hostPaths?: Record<string, string>;
  /** Environment of the server, and so of its extension hosts. */
  env?: (temporary: string) => Record<string, string>;
}

/**
 * A fresh workbench with the packaged extension, in a new profile, on a copy
 * of the examples. `missing`: in one line, why there cannot be one here.
 */
export async function startHarness(options: HarnessOptions = {}): Promise<Harness | { missing: string }> {
  const chromium = findChromium();
  if (chromium === undefined) return { missing: 'no Chromium on this machine (Debian package chromium, or COVERT_CHROMIUM=path)' };
  const installed = await setUpWorkbench((line) => process.stderr.write(`workbench: ${line}\n`)).catch((error: unknown) => ({
    missing: `code-server could not be installed: ${error instanceof Error ? error.message : String(error)}`,
  }));
  if ('missing' in installed) return installed;

  const temporary = mkdtempSync(join(tmpdir(), 'covert-workbench-'));
  const folder = join(temporary, 'examples');
  cpSync(join(root, 'examples'), folder, { recursive: true });
  const vsix = packageExtension(join(temporary, 'covert.vsix'));
  const server = await startServer(installed.workbench, {
    profile: join(temporary, 'profile'),
    vsix,
    folder,
    settings,
    env: options.env?.(temporary) ?? {},
  });
  const dispose = async (): Promise<void> => {
    await server.stop();
    rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const window = await WorkbenchPage.open(chromium, urlWith(server.url, options.hostPaths), join(import.meta.dirname, 'screenshots'));
    return {
      window,
      folder,
      temporary,
      server,
      close: async () => {
        await window.close();
        await dispose();
      },
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** VS Code's web entry takes such paths as `payload`, a list of pairs. */
function urlWith(url: string, hostPaths: Record<string, string> = {}): string {
  const { host } = new URL(url);
  const pairs = Object.entries(hostPaths).map(([name, path]) => [name, `vscode-remote://${host}${path}`]);
  return pairs.length === 0 ? url : `${url}&payload=${encodeURIComponent(JSON.stringify(pairs))}`;
}
