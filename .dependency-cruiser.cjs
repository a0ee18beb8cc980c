// The direction of imports, as docs/architecture.md draws it. A folder of the
// engine may import itself and those after it in this table; symbols and isa
// import nothing.
const allowed = {
  isa: [],
  symbols: [],
  core: ['isa'],
  translator: ['core', 'isa'],
  machine: ['translator', 'core', 'isa'],
  chip: ['machine', 'translator', 'core', 'isa'],
  covert: ['history', 'chip', 'machine', 'translator', 'core', 'isa', 'symbols'],
  model: ['covert', 'history', 'chip', 'machine', 'translator', 'core', 'isa', 'symbols'],
  network: ['covert'],
  history: ['covert', 'chip', 'machine', 'translator', 'core', 'isa', 'symbols'],
};

const engineRules = Object.entries(allowed).map(([folder, others]) => ({
  name: `engine-${folder}`,
  comment: `engine/${folder} may import only: ${others.join(', ') || 'nothing else of the engine'}`,
  severity: 'error',
  from: { path: `^engine/${folder}/`, pathNot: '\\.test(-support)?\\.ts$' },
  to: { path: '^engine/', pathNot: `^engine/(${[folder, ...others].join('|')})/` },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'engine-is-a-library',
      comment: 'The engine knows neither the servers nor the extension nor the tests.',
      severity: 'error',
      from: { path: '^engine/' },
      to: { path: '^(server|client|test|scripts)/' },
    },
    {
      name: 'engine-speaks-no-protocol',
      comment: 'No VS Code, no protocol and no terminal inside the engine.',
      severity: 'error',
      from: { path: '^engine/', pathNot: '\\.test(-support)?\\.ts$' },
      to: {
        path: [
          '^vscode',
          'node_modules/(@vscode/|vscode-|langium|commander|picocolors|echarts)',
          '^(node:)?(net|http|https|child_process|readline|tty)$',
        ],
      },
    },
    {
      name: 'server-knows-no-client',
      comment: 'Imports go client -> server -> engine.',
      severity: 'error',
      from: { path: '^server/' },
      to: { path: '^(client|test|scripts)/' },
    },
    {
      name: 'only-the-client-imports-vscode',
      comment: 'Everything but the extension works without VS Code.',
      severity: 'error',
      from: { pathNot: '^(client|test)/' },
      to: { path: '^vscode$' },
    },
    {
      name: 'client-starts-servers',
      comment: 'The extension talks to the servers over their protocols; it shares types with them, no code of the tests.',
      severity: 'error',
      from: { path: '^client/' },
      to: { path: '^(test|scripts)/' },
    },
    ...engineRules,
    {
      name: 'no-circular',
      comment: 'A cycle of run-time imports has no order in which to be read.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^vscode$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(engine/core/assembly|dist|test/results)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
