/**
 * `npm run bench`: how fast mail is fetched, beside other clients, on the same server with the same mail. Medians of
 * alternating runs and ratios only, for a machine's own speed is nobody's business. `--keep` makes docs/bench.md.
 */
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { benchOn, LINES, type Profiled, profileOn } from '../test/bench/speed/bench.ts';
import { inMarkdown, type Section } from '../test/bench/speed/table.ts';
import { WORKLOADS } from '../test/bench/speed/workloads.ts';
import { failureOf } from './parts/cache.ts';
import { installParts } from './parts/install.ts';

const USAGE = `usage: npm run bench -- [--only TEXT ...] [--without NAME ...] [--rounds N] [--share N] [--profile null|folder] [--keep]
  --only     sections whose title has this text: ${WORKLOADS.map(({ name }) => name).join(', ')}; ${LINES.map(({ name }) => name).join(', ')}
  --without  leaves a contestant out, for example fetchmail
  --rounds   of each section (default: 5, of the largest mail 3)
  --share    only one in so many messages, for a quick look
  --profile  no table: where the processor's time of one of our own runs goes, by file
  --keep     the table goes into docs/bench.md`;

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', multiple: true, default: [] },
        without: { type: 'string', multiple: true, default: [] },
        rounds: { type: 'string' },
        share: { type: 'string', default: '1' },
        profile: { type: 'string' },
        keep: { type: 'boolean', default: false },
      },
    });
    const { rounds, share, profile } = values;
    if (profile !== undefined && profile !== 'null' && profile !== 'folder')
      throw new Error(`--profile is of null or folder, not "${profile}".`);
    return {
      ...values,
      profile: profile as 'null' | 'folder' | undefined,
      rounds: rounds === undefined ? undefined : positive('rounds', rounds),
      share: positive('share', share),
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
    process.exit(2);
  }
}

function positive(name: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${name} must be a whole number from 1, not "${text}".`);
  return Number(text);
}

const WHERE = `## Where our time goes

By file, as V8's profiler sees one run without a delay: what is told above is below its goal. Names without a file are V8's own and native work
(\`update\` is SHA-256, \`writeBuffer\` writes files).
`;

const LINES_SHOWN = 12;

const given = readArguments();
const { env, missing } = await installParts(['dovecot', 'versitygw', 'mpop', 'fetchmail'], console.log);
const noPython = await failureOf(['python3', '-c', 'import poplib, ssl']);
const skipped = [
  ...missing.map(({ name, reason }) => `${name}: ${reason}`),
  ...(noPython === undefined ? [] : [`poplib: ${noPython}`]),
];
for (const line of skipped) console.log(`SKIPPED, this machine lacks ${line}`);
const dovecot = env['MAILFERRY_DOVECOT'];
if (dovecot === undefined) {
  console.error('Without Dovecot there is nothing to fetch from.');
  process.exit(1);
}
const options = {
  dovecot,
  versitygw: env['MAILFERRY_VERSITYGW'],
  mpop: env['MAILFERRY_MPOP'],
  fetchmail: env['MAILFERRY_FETCHMAIL'],
  python: noPython === undefined ? 'python3' : undefined,
  ...given,
  log: console.log,
};
if (given.profile !== undefined) {
  const told = await profileOn({ ...options, profile: given.profile });
  for (const { title, text } of told) console.log(`\n${title}: share of the time, by file\n${text}`);
} else {
  const sections = await benchOn(options);
  const text = page(sections, await explained(sections));
  console.log(`\n${text}`);
  if (given.keep) await writeFile(fileURLToPath(new URL('../docs/bench.md', import.meta.url)), text);
}

/** Where our time goes in the workloads that missed a goal. */
async function explained(sections: readonly Section[]): Promise<readonly Profiled[]> {
  const missed = (store: string) =>
    sections.some(({ ratios }) =>
      ratios.some(({ name, median, goal }) => name.startsWith(`ours, ${store} `) && goal && median < goal),
    );
  const told: Profiled[] = [];
  for (const profile of ['null', 'folder'] as const)
    if (missed(profile)) told.push(...(await profileOn({ ...options, profile })));
  return told;
}

function page(sections: readonly Section[], profiles: readonly Profiled[]): string {
  const commit = firstLine(['git', 'rev-parse', '--short', 'HEAD']);
  const versions = [
    `Node ${process.versions.node}`,
    `Dovecot ${firstLine([dovecot ?? 'dovecot', '--version'])}`,
    ...(options.mpop ? [firstLine([options.mpop, '--version'])] : []),
    ...(options.fetchmail
      ? [`fetchmail ${/\d[\d.]*\d/.exec(firstLine([options.fetchmail, '--version']))?.[0] ?? ''}`]
      : []),
    ...(options.python ? [firstLine([options.python, '--version'])] : []),
    ...(options.versitygw ? [`versitygw ${/v\d[\d.]+/.exec(options.versitygw)?.[0] ?? ''}`.trim()] : []),
  ];
  const share = given.share === 1 ? '' : `\nOnly one in ${given.share} of the messages was fetched.\n`;
  const lacking = skipped.length === 0 ? '' : `\nSkipped: ${skipped.join('; ')}\n`;
  return `# How fast

Made by \`npm run bench -- --keep\` at commit ${commit}. ${versions.join(', ')}.

A ratio of 2 means: done in half the time. Each is the median of its rounds; in a round every program fetches the same
mail from the same Dovecot over the same TLS, one after another, into nothing that was there before. A run that fetched
fewer messages or octets is an error. Times begin with the dial and end with the work; mpop and fetchmail are timed as
whole processes, which adds a few milliseconds to theirs.

- *raw drain*: RETR in windows of 64 over TLS and the bytes thrown away, in Node: the least that any client must do.
- *ours, null*: the product over a store that checks every byte and keeps none.
- *40 ms*: through a proxy that holds every byte back for 20 ms each way. It has no windows and no losses of a real line.
${share}${lacking}
${inMarkdown(sections)}
${profiles.length === 0 ? '' : `\n${WHERE}\n${profiles.map(inWords).join('\n')}`}`;
}

function inWords({ title, text }: Profiled): string {
  return `### ${title}\n\n\`\`\`\n${text.split('\n').slice(0, LINES_SHOWN).join('\n')}\n\`\`\`\n`;
}

function firstLine([program, ...args]: readonly [string, ...string[]] | string[]): string {
  return (
    execFileSync(program ?? '', args, { encoding: 'utf8' })
      .split('\n')[0]
      ?.trim() ?? ''
  );
}
