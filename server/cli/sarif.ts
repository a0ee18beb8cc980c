import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ArtifactLocation, Fix, Log, Region, ReportingDescriptor, Result } from 'sarif';
import { version } from '../../package.json';
import type { SourceRange } from '../../engine/covert/plan';
import type { PlacedFix } from '../language/diagnostic';
import { diagnosticCodes, type DiagnosticCode } from '../language/diagnostic-codes';
import type { Diagnostic } from '../language/compile';
import { manualSection, manualUri } from '../language/manual';

const schema = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';
const sourceRoot = '%SRCROOT%';
const codes = Object.keys(diagnosticCodes) as DiagnosticCode[];

/** What a check looked at, beside what it found there. */
export interface Looked {
  /** Files that were read. */
  read: readonly string[];
  /** Why others were not, a line each. */
  problems: readonly string[];
}

/**
 * What is wrong with scenario files as a log of the Static Analysis Results
 * Interchange Format, 2.1.0. Paths are relative to the folder `root`.
 */
export function sarifLog(diagnostics: readonly Diagnostic[], { read, problems }: Looked, root = process.cwd()): Log {
  return {
    $schema: schema,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'covert', semanticVersion: version, rules: rules() } },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { [sourceRoot]: { description: { text: 'The folder in which the check was run.' } } },
        artifacts: read.map((file) => ({ location: location(file, root), roles: ['analysisTarget'], encoding: 'UTF-8' })),
        invocations: [
          {
            executionSuccessful: problems.length === 0,
            toolExecutionNotifications: problems.map((text) => ({ level: 'error', message: { text: literal(text) } })),
          },
        ],
        results: diagnostics.map((diagnostic) => resultOf(diagnostic, root)),
      },
    ],
  };
}

function resultOf({ code, severity, message, file, range, fixes, earlier }: Diagnostic, root: string): Result {
  const artifactLocation = location(file, root);
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: severity,
    message: { text: literal(message) },
    locations: [{ physicalLocation: { artifactLocation, region: regionOf(range) } }],
    ...(earlier && { relatedLocations: [{ physicalLocation: { artifactLocation, region: regionOf(earlier.range) } }] }),
    ...(fixes.length > 0 && { fixes: fixes.map((fix) => fixOf(fix, artifactLocation)) }),
  };
}

function fixOf({ title, text, range }: PlacedFix, artifactLocation: ArtifactLocation): Fix {
  const replacement = { deletedRegion: regionOf(range), ...(text !== '' && { insertedContent: { text } }) };
  return { description: { text: literal(title) }, artifactChanges: [{ artifactLocation, replacements: [replacement] }] };
}

function regionOf({ line, column, endLine, endColumn }: SourceRange): Region {
  return { startLine: line, startColumn: column, endLine, endColumn };
}

/** Relative to the root where a file is below it. */
function location(file: string, root: string): ArtifactLocation {
  const whole = path.resolve(root, file);
  const relative = path.relative(root, whole);
  if (relative.startsWith('..') || path.isAbsolute(relative)) return { uri: pathToFileURL(whole).href };
  return { uri: relative.split(path.sep).map(encodeURIComponent).join('/'), uriBaseId: sourceRoot };
}

/** In a message of SARIF a brace begins a placeholder, and stands for itself where there are two (3.11.5). */
function literal(text: string): string {
  return text.replace(/[{}]/g, '$&$&');
}

function rules(): ReportingDescriptor[] {
  return codes.map((code) => {
    const meaning = `${diagnosticCodes[code].replace(/^./, (letter) => letter.toUpperCase())}.`;
    const manual = manualUri(code);
    return {
      id: code,
      shortDescription: { text: meaning },
      help: { text: `${meaning} With a wrong and a right example: docs/language.md#${manualSection(code)}` },
      // It has to be absolute (3.49.12).
      ...(manual !== undefined && { helpUri: manual }),
      defaultConfiguration: { level: code.startsWith('COV6') ? 'warning' : 'error' },
    };
  });
}
