import * as vscode from 'vscode';
import type { ReplicaStateAnswer } from '../server/debug/replica-state';
import { ReplicaDecorations } from './replica-decorations';
import { lineMarks } from './replica-marks';

/** Marks are left this long after a resume, so that a step moves them without a flicker. */
const fadeMilliseconds = 250;

/** Shows where the replicas stand and whether they agree: at their lines and in the status bar. */
export class ReplicaView implements vscode.Disposable {
  private readonly decorations = new ReplicaDecorations();
  private readonly status = vscode.window.createStatusBarItem('covert.replicas', vscode.StatusBarAlignment.Left, 10);
  private shown: vscode.DebugSession | undefined;
  /** Counts requests, so that an answer that was overtaken is dropped. */
  private turn = 0;
  private fade: NodeJS.Timeout | undefined;

  constructor() {
    this.status.name = 'COVERT replicas';
    this.status.command = 'workbench.debug.action.focusVariablesView';
  }

  /** The replicas of `session` have stopped somewhere. */
  async refresh(session: vscode.DebugSession): Promise<void> {
    const turn = ++this.turn;
    clearTimeout(this.fade);
    let state: ReplicaStateAnswer;
    try {
      state = (await session.customRequest('covert/replicaState')) as ReplicaStateAnswer;
    } catch {
      // The session ended while it was asked; its end clears the marks.
      return;
    }
    if (turn !== this.turn) return;
    this.shown = session;
    this.decorations.show(lineMarks(state));
    this.showStatus(state);
  }

  /** The replicas of `session` move on. */
  leave(session: vscode.DebugSession): void {
    if (session.id !== this.shown?.id) return;
    const turn = ++this.turn;
    clearTimeout(this.fade);
    this.fade = setTimeout(() => {
      if (turn === this.turn) this.decorations.show([]);
    }, fadeMilliseconds);
  }

  forget(session: vscode.DebugSession): void {
    if (session.id !== this.shown?.id) return;
    this.turn++;
    this.shown = undefined;
    clearTimeout(this.fade);
    this.decorations.show([]);
    this.status.hide();
  }

  dispose(): void {
    clearTimeout(this.fade);
    this.decorations.dispose();
    this.status.dispose();
  }

  private showStatus({ replicas, differences, compared: [one, other], moment }: ReplicaStateAnswer): void {
    if (replicas.length < 2) {
      this.status.hide();
      return;
    }
    const count = differences.length;
    const names = replicas.map(({ name }) => name);
    this.status.text =
      count === 0 ? `$(check) ${names.join('=')}` : `$(diff) ${one}≠${other}: ${count} ${count === 1 ? 'place' : 'places'}`;
    this.status.backgroundColor = count === 0 ? undefined : new vscode.ThemeColor('statusBarItem.warningBackground');
    const lines = differences.slice(0, 8).map(({ place, A, B }) => `${place}: ${one} ${A}, ${other} ${B}`);
    this.status.tooltip = [
      count === 0 ? 'The replicas agree in every register and byte.' : 'The replicas differ:',
      ...lines,
      `Moment ${moment.toLocaleString('en')}`,
    ].join('\n');
    this.status.show();
  }
}
