/** A real Neovim, set up as docs/editors.md says, with the built language server. */
import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from './language-client';

const hasNeovim = spawnSync('nvim', ['--version']).status === 0;
const why = hasNeovim ? '' : ' (skipped: nvim is not installed)';

const text = `guest g { elf "checksum.elf" ram 16 MiB }

scenario "s" {
guest g
  protect dmr on core 0, core 1
  fault flip a0 bit 64 in replica B at crc32_update
  expect exit 0
}
`;

/** Asks as a plugin would, and writes the answers to a file. */
const script = `
vim.cmd('edit ' .. vim.env.COVERT_TEST_FILE)
vim.wait(60000, function() return #vim.diagnostic.get(0) > 0 end, 50)
local function ask(method, more)
  local params = vim.tbl_extend('force', { textDocument = { uri = vim.uri_from_bufnr(0) } }, more)
  for _, answer in pairs(vim.lsp.buf_request_sync(0, method, params, 60000) or {}) do return answer.result end
end
local here = { position = { line = 5, character = 14 } }
local result = {
  filetype = vim.bo.filetype,
  diagnostics = vim.diagnostic.get(0),
  hover = ask('textDocument/hover', here),
  completion = ask('textDocument/completion', { position = { line = 5, character = 13 } }),
}
local edits = ask('textDocument/formatting', { options = { tabSize = 2, insertSpaces = true } })
vim.lsp.util.apply_text_edits(edits, 0, 'utf-16')
result.formatted = vim.api.nvim_buf_get_lines(0, 0, -1, false)
vim.cmd('edit! ' .. vim.env.COVERT_TEST_OTHER)
result.roots = {}
for _, client in pairs((vim.lsp.get_clients or vim.lsp.get_active_clients)()) do table.insert(result.roots, client.config.root_dir) end
vim.fn.writefile({ vim.fn.json_encode(result) }, vim.env.COVERT_TEST_RESULT)
vim.cmd('qa!')
`;

interface Answers {
  filetype: string;
  diagnostics: { code: string; lnum: number; col: number; message: string }[];
  hover: { contents: { value: string } };
  completion: { items: { label: string }[] };
  formatted: string[];
  /** Of each client that runs in the end. */
  roots: string[];
}

describe.skipIf(!hasNeovim)(`Neovim${why}`, () => {
  let folder = '';
  let answers: Answers;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'covert-neovim-'));
    const [below, beside] = [path.join(folder, 'below'), path.join(folder, 'beside')];
    for (const each of [below, beside, path.join(folder, '.git')]) await mkdir(each);
    const file = path.join(below, 'scratch.covert');
    const other = path.join(beside, 'other.covert');
    await writeFile(other, 'chip octo { cores 8 }\n');
    const result = path.join(folder, 'result.json');
    await writeFile(file, text);
    await copyFile(path.join(root, 'examples/checksum/checksum.elf'), path.join(below, 'checksum.elf'));
    await mkdir(path.join(folder, 'bin'));
    await symlink(path.join(root, 'dist/covert.cjs'), path.join(folder, 'bin/covert'));
    const [, setup = ''] = /```lua\n([\s\S]*?)```/.exec(await readFile(path.join(root, 'docs/editors.md'), 'utf8')) ?? [];
    await writeFile(path.join(folder, 'setup.lua'), setup);
    await writeFile(path.join(folder, 'test.lua'), script);
    const run = spawnSync('nvim', ['--headless', '-i', 'NONE', '-u', path.join(folder, 'setup.lua'), '-c', `luafile ${path.join(folder, 'test.lua')}`], {
      encoding: 'utf8',
      timeout: 240_000,
      env: {
        ...process.env,
        PATH: `${path.join(folder, 'bin')}:${process.env['PATH']}`,
        XDG_CONFIG_HOME: folder,
        XDG_STATE_HOME: folder,
        XDG_CACHE_HOME: folder,
        XDG_DATA_HOME: folder,
        COVERT_TEST_FILE: file,
        COVERT_TEST_OTHER: other,
        COVERT_TEST_RESULT: result,
      },
    });
    answers = JSON.parse(await readFile(result, 'utf8').catch(() => Promise.reject(new Error(`nvim wrote nothing: ${run.stdout}${run.stderr}`)))) as Answers;
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('shows diagnostics', () => {
    expect(answers.filetype).toBe('covert');
    expect(answers.diagnostics.map(({ code, lnum, col }) => [code, lnum, col])).toEqual([['COV402', 5, 20]]);
  });

  test('asks for hover and completion', () => {
    expect(answers.hover.contents.value).toContain('a0');
    expect(answers.completion.items.map(({ label }) => label)).toContain('memory');
  });

  test('has one server for the whole project', () => {
    expect(answers.roots).toEqual([folder]);
  });

  test('formats', () => {
    expect(answers.formatted).toEqual(text.replace('\nguest g\n', '\n  guest g\n').trimEnd().split('\n'));
  });
});
