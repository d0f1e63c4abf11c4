/**
 * The layer table is law only if lint refuses what it forbids: each row is tried with fixtures, in a copy of the
 * project's own lint rules. Also the bounds that lint cannot count.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, matchesGlob } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SUITES } from '../scripts/suites.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Fixture {
  /** Where it pretends to be. */
  readonly file: string;
  readonly code: string;
  /** The rule that must refuse it; null: nothing may. */
  readonly refused: 'imports' | 'globals' | 'ambient' | null;
}

const RULES = {
  imports: 'lint/style/noRestrictedImports',
  globals: 'lint/style/noRestrictedGlobals',
  ambient: 'plugin',
} as const;

/** Row of the table → what it may import, and what it may not. */
const ROWS: Readonly<
  Record<string, { readonly may: readonly string[]; readonly mayNot: readonly string[] }>
> = {
  'lib/pop3': {
    may: ['node:buffer', './framing.ts'],
    mayNot: [
      'zod',
      '@mongodb-js/saslprep',
      '../store/port.ts',
      '../fetch/run.ts',
      '@aws-sdk/client-s3',
      'node:net',
      'node:tls',
      'node:fs',
      'node:timers',
    ],
  },
  'lib/fetch': {
    may: [
      '../store/port.ts',
      '../events/port.ts',
      '../pop3/client.ts',
      '../pop3/sasl/scram.ts',
      '@mongodb-js/saslprep',
      '../mailbox/names.ts',
      '../mail/headers.ts',
      'node:buffer',
    ],
    mayNot: [
      '../store/s3.ts',
      '../events/eventbridge.ts',
      '../pop3/dial.ts',
      '../mail/document.ts',
      '@aws-sdk/client-s3',
      'mailparser',
      'node:net',
      'node:fs',
      '../../functions/fetch.ts',
    ],
  },
  'lib/mailbox': {
    may: ['../store/port.ts', 'zod', 'node:buffer', './names.ts'],
    mayNot: [
      '@mongodb-js/saslprep',
      '../secrets/port.ts',
      '../store/s3.ts',
      '../pop3/client.ts',
      '../fetch/run.ts',
      '../events/port.ts',
      '@aws-sdk/client-s3',
      'node:fs',
    ],
  },
  'lib/store': {
    may: ['@aws-sdk/client-s3', '@smithy/node-http-handler', 'node:fs', './port.ts'],
    mayNot: [
      '../mailbox/names.ts',
      '../pop3/client.ts',
      '../events/port.ts',
      '@aws-sdk/client-eventbridge',
      'node:net',
      'node:timers/promises',
    ],
  },
  'lib/events': {
    may: ['@aws-sdk/client-eventbridge', 'zod', './port.ts'],
    mayNot: ['../store/port.ts', '../mailbox/names.ts', '../fetch/run.ts', '@aws-sdk/client-s3', 'node:net'],
  },
  'lib/secrets': {
    may: [
      '@aws-sdk/client-secrets-manager',
      'oauth4webapi',
      'jose',
      '../pop3/addresses.ts',
      '../pop3/masking.ts',
      './port.ts',
    ],
    mayNot: [
      '../store/port.ts',
      '../fetch/run.ts',
      '../pop3/client.ts',
      '@aws-sdk/client-s3',
      'openid-client',
      'node:net',
      'node:https',
      'node:child_process',
    ],
  },
  'lib/jobs': {
    may: ['@aws-sdk/client-sqs', '@smithy/node-http-handler', './port.ts'],
    mayNot: ['../store/port.ts', '../mailbox/names.ts', '@aws-sdk/client-s3', 'node:net', 'node:fs'],
  },
  'lib/mail': {
    may: ['libmime', 'mailparser', 'zod', './headers.ts'],
    mayNot: ['../store/port.ts', '../fetch/run.ts', '@aws-sdk/client-s3', 'node:net', 'node:fs'],
  },
  'lib/parse': {
    may: [
      '../store/port.ts',
      '../events/port.ts',
      '../mail/documentShape.ts',
      '../mailbox/names.ts',
      './ports.ts',
    ],
    mayNot: [
      '../mail/parseMail.ts',
      '../store/s3.ts',
      '../fetch/run.ts',
      '../mailbox/settings.ts',
      'mailparser',
      'node:child_process',
      'node:fs',
    ],
  },
  functions: { may: ['../lib/fetch/run.ts', '../lib/store/s3.ts', '@middy/core', 'yaml'], mayNot: [] },
};

/** What no folder of lib may touch, and the rule that says so. */
const AMBIENT: readonly (readonly [string, 'globals' | 'ambient'])[] = [
  ['Date.now()', 'ambient'],
  ['new Date()', 'ambient'],
  ['Math.random()', 'ambient'],
  ['process.env', 'ambient'],
  ["process.env['HOME']", 'ambient'],
  ['setTimeout(() => {}, 1)', 'globals'],
  ['setInterval(() => {}, 1)', 'globals'],
  ['setImmediate(() => {})', 'globals'],
  ["fetch('http://127.0.0.1')", 'globals'],
  ['performance.now()', 'globals'],
];

function fixtures(): readonly Fixture[] {
  const made: Fixture[] = [];
  const add = (folder: string, code: string, refused: Fixture['refused']) =>
    made.push({ file: `${folder}/fixture${made.length}.ts`, code, refused });
  for (const [folder, { may, mayNot }] of Object.entries(ROWS)) {
    for (const from of may)
      add(folder, `import { thing } from '${from}';\nexport const kept = thing;\n`, null);
    for (const from of mayNot)
      add(folder, `import { thing } from '${from}';\nexport const kept = thing;\n`, 'imports');
    const inLib = folder.startsWith('lib/');
    if (inLib) {
      add(
        folder,
        `import { randomBytes } from 'node:crypto';\nexport const kept = randomBytes;\n`,
        'imports',
      );
      add(folder, `import { createHash } from 'node:crypto';\nexport const kept = createHash;\n`, null);
      add(folder, 'export const kept = new Date(0);\n', null);
    }
    for (const [code, rule] of AMBIENT) add(folder, `export const kept = ${code};\n`, inLib ? rule : null);
  }
  const adapter = (file: string, from: string, refused: Fixture['refused']) =>
    made.push({ file, code: `import { connect } from '${from}';\nexport const kept = connect;\n`, refused });
  adapter('lib/pop3/addresses.ts', 'node:net', 'imports');
  // One fixture a file: lint tells of files.
  adapter('lib/secrets/tokenCommand.ts', 'node:https', 'imports');
  adapter('lib/secrets/tokenRequests.ts', 'node:child_process', 'imports');
  made.push({
    file: 'lib/parse/parserProcess.ts',
    code: "import { spawn } from 'node:child_process';\nexport const kept = spawn;\n",
    refused: null,
  });
  return made;
}

describe('lint', () => {
  const all = fixtures();
  const found = new Map<string, readonly string[]>();
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'layers-'));
    for (const part of ['biome.json', 'lint', '.gitignore'])
      await cp(join(root, part), join(folder, part), { recursive: true });
    for (const { file, code } of all) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), code);
    }
    for (const [file, categories] of await lintErrors(folder)) found.set(file, categories);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const verdicts = all.map((fixture) => ({
    ...fixture,
    title: `${fixture.refused === null ? 'lets' : 'refuses'} ${dirname(fixture.file)}: ${fixture.code.split('\n')[0]}`,
  }));
  it.each(verdicts)('$title', ({ file, refused }) => {
    const categories = found.get(file) ?? [];
    if (refused === null) expect(categories).toEqual([]);
    else expect(categories).toContain(RULES[refused]);
  });
});

/** File → the distinct categories of its errors. */
async function lintErrors(folder: string): Promise<Map<string, readonly string[]>> {
  const biome = join(root, 'node_modules', '.bin', 'biome');
  const args = ['lint', '--reporter=json', '--max-diagnostics=none', '--diagnostic-level=error', '.'];
  const output = await new Promise<string>((resolve) => {
    execFile(biome, args, { cwd: folder, maxBuffer: 64 * 1024 * 1024 }, (_error, stdout) => resolve(stdout));
  });
  const report = JSON.parse(output) as {
    readonly diagnostics: readonly {
      readonly category: string;
      readonly location: { readonly path: unknown };
    }[];
  };
  const found = new Map<string, readonly string[]>();
  for (const { category, location } of report.diagnostics) {
    const file = String(location.path);
    found.set(file, [...new Set([...(found.get(file) ?? []), category])]);
  }
  return found;
}

/** A file that needs more lines than this has two subjects. */
const MAX_LINES = 400;

/** A port that needs more methods than this is two ports, or knows too much of its caller. */
const MAX_METHODS = 8;

describe('bounds', () => {
  it('keeps every source file within its lines', async () => {
    const long: string[] = [];
    for (const file of await sources(['lib', 'functions', 'bin'])) {
      const lines = (await readFile(join(root, file), 'utf8')).split('\n').length - 1;
      if (lines > MAX_LINES) long.push(`${file}: ${lines}`);
    }
    expect(long).toEqual([]);
  });

  it.each([
    ['lib/store/port.ts', 'ObjectStore'],
    ['lib/events/port.ts', 'Publisher'],
    ['lib/secrets/port.ts', 'Secrets'],
    ['lib/secrets/port.ts', 'SecretSaver'],
    ['lib/secrets/port.ts', 'Tokens'],
    ['lib/jobs/port.ts', 'Jobs'],
  ])('keeps the port in %s small', async (file, name) => {
    const methods = methodsOf(await readFile(join(root, file), 'utf8'), name);
    expect(methods.length).toBeGreaterThan(0);
    expect(methods.length).toBeLessThanOrEqual(MAX_METHODS);
  });

  it('keeps lib/pop3 free of everything but Node', async () => {
    const files = await sources(['lib/pop3']);
    expect(files.length).toBeGreaterThan(0);
    const foreign: string[] = [];
    for (const file of files) {
      const code = await readFile(join(root, file), 'utf8');
      for (const [, from = ''] of code.matchAll(/^(?:import|export)\b(?:[^;=']*?\bfrom)? '([^']+)';$/gms)) {
        if (!/^(node:|\.\/(sasl\/)?[^/]+\.ts$)/.test(from)) foreign.push(`${file}: ${from}`);
      }
    }
    expect(foreign).toEqual([]);
  });

  it('runs every test file in exactly one suite', async () => {
    const stray: string[] = [];
    for (const file of (await sources(['test'])).filter((name) => name.endsWith('.test.ts'))) {
      const homes = SUITES.filter(({ include }) => include.some((glob) => matchesGlob(file, glob)));
      if (homes.length !== 1) stray.push(`${file}: ${homes.map(({ name }) => name).join(', ') || 'none'}`);
    }
    expect(stray).toEqual([]);
  });
});

async function sources(folders: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    const names = await readdir(join(root, folder), { recursive: true });
    found.push(...names.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name)));
  }
  return found;
}

/** Our formatter puts an interface's end at the margin and each method's name at two spaces. */
function methodsOf(code: string, name: string): readonly string[] {
  const [, body = ''] = new RegExp(`^export interface ${name} \\{\\n(.*?)^\\}`, 'ms').exec(code) ?? [];
  return [...body.matchAll(/^ {2}(\w+)\(/gm)].map(([, method = '']) => method);
}
