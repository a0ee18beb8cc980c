import * as vscode from 'vscode';
import type { LineMark } from './replica-marks';

const letters = ['A', 'B', 'C'] as const;

/** The colour contributed for a replica, see `colors` in package.json. */
const colorOf = (letter: string): vscode.ThemeColor => new vscode.ThemeColor(`covert.replica${letter}`);

/**
 * Draws marks in every visible editor: a bar at the line's start and a badge
 * after its text in the replica's colour, then the values that differ.
 */
export class ReplicaDecorations implements vscode.Disposable {
  private marks: readonly LineMark[] = [];
  private readonly bars = new Map(letters.map((letter) => [letter, createBar(letter)]));
  private readonly badges = new Map(letters.map((letter) => [letter, createBadge(letter)]));
  // Created after the badges: text at one position stands in order of creation.
  private readonly values = vscode.window.createTextEditorDecorationType({
    rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
  });
  private readonly listeners = [
    vscode.window.onDidChangeVisibleTextEditors((editors) => editors.forEach((editor) => this.draw(editor))),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration('covert.decorations')) this.drawAll();
    }),
  ];

  /** Replaces everything that is drawn. */
  show(marks: readonly LineMark[]): void {
    this.marks = marks;
    this.drawAll();
  }

  dispose(): void {
    for (const part of [...this.bars.values(), ...this.badges.values(), this.values, ...this.listeners]) part.dispose();
  }

  private drawAll(): void {
    vscode.window.visibleTextEditors.forEach((editor) => this.draw(editor));
  }

  private draw(editor: vscode.TextEditor): void {
    const { document } = editor;
    const settings = vscode.workspace.getConfiguration('covert.decorations', document);
    const here = this.marks.filter(
      ({ path, line }) => vscode.Uri.file(path).fsPath === document.uri.fsPath && line <= document.lineCount,
    );
    const badged = settings.get<boolean>('badges', true) ? here : [];
    const endOf = ({ line }: LineMark): vscode.Range => {
      const { end } = document.lineAt(line - 1).range;
      return new vscode.Range(end, end);
    };
    for (const letter of letters) {
      const badges = badged.flatMap((mark) =>
        mark.replicas
          .filter((replica) => replica.letter === letter)
          .map(({ hover }) => ({ range: endOf(mark), hoverMessage: new vscode.MarkdownString(hover) })),
      );
      editor.setDecorations(this.badges.get(letter)!, badges);
      // One bar a line: the colour of the first replica that stands on it.
      editor.setDecorations(
        this.bars.get(letter)!,
        badged.filter(({ replicas }) => replicas[0]?.letter === letter).map(endOf),
      );
    }
    const valued = settings.get<boolean>('values', true) ? here.filter(({ values }) => values !== '') : [];
    editor.setDecorations(
      this.values,
      valued.map((mark) => ({
        range: endOf(mark),
        hoverMessage: new vscode.MarkdownString(mark.valuesHover),
        renderOptions: { after: valueText(mark.values) },
      })),
    );
  }
}

function createBar(letter: string): vscode.TextEditorDecorationType {
  return vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    borderWidth: '0 0 0 3px',
    borderStyle: 'solid',
    borderColor: colorOf(letter),
    overviewRulerColor: colorOf(letter),
    overviewRulerLane: vscode.OverviewRulerLane.Full,
  });
}

function createBadge(letter: string): vscode.TextEditorDecorationType {
  return vscode.window.createTextEditorDecorationType({
    rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
    after: {
      contentText: letter,
      color: new vscode.ThemeColor('covert.replicaForeground'),
      backgroundColor: colorOf(letter),
      fontWeight: 'bold',
      margin: '0 0 0 1ch',
      // The API has no padding or rounded corners; what follows the value goes into the rule as it is.
      textDecoration: 'none; padding: 0 0.6ch; border-radius: 3px;',
    },
  });
}

function valueText(contentText: string): vscode.ThemableDecorationAttachmentRenderOptions {
  return { contentText, margin: '0 0 0 2ch', color: new vscode.ThemeColor('covert.differenceForeground'), fontStyle: 'italic' };
}
