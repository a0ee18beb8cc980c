/** Starts the bundled command as a user does: its own process, its own streams. */
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '..', '..');

export interface Outcome {
  /** Null if a signal ended the process. */
  exit: number | null;
  stdout: string;
  stderr: string;
}

interface Options {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Another Node than the one that runs the tests. */
  node?: string;
  /** What stands at stdin; nothing if it is left out. */
  input?: string | Uint8Array;
  /** Called with the running process. */
  meanwhile?: (child: ChildProcess) => void;
}

/** Runs `covert` with arguments to its end. */
export function covert(args: string[], { env = {}, cwd = root, node = process.execPath, input, meanwhile }: Options = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(node, [path.join(root, 'dist', 'covert.cjs'), ...args], {
      cwd,
      env: { ...process.env, ...env },
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    // A command may end before it has read everything.
    child.stdin?.on('error', () => undefined).end(input);
    child.on('error', reject);
    child.on('close', (exit) => resolve({ exit, stdout, stderr }));
    meanwhile?.(child);
  });
}

/** What a command has complained of: all but what it says of work that takes long, as it does on a busy machine. */
export function complaints(stderr: string): string {
  return stderr.replace(/^.*, \d+ s\n/gm, '');
}

/** For `meanwhile`: Ctrl-C as soon as the command shows that it works on something long. */
export function interruptAtProgress(child: ChildProcess): void {
  child.stderr?.once('data', () => child.kill('SIGINT'));
}
