/** The quirk table: each row a run of the real engine against a server that does what real ones were seen to do. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../lib/fetch/ports.ts';
import type { RunReport } from '../../lib/fetch/report.ts';
import { systemClock } from '../../lib/fetch/systemClock.ts';
import { contentsOf, World } from '../fetch/world.ts';
import type { ScriptedMessage } from '../servers/scripted.ts';
import { CONNECTING } from './connecting.ts';
import { DELETING } from './deleting.ts';
import { GREETING } from './greeting.ts';
import { LISTINGS } from './listings.ts';
import { commandsOf, type Expected, five, type Group, type Tried } from './quirk.ts';
import { RETRIEVING } from './retrieving.ts';
import { SIGNING_IN } from './signingIn.ts';
import { DATES, HUGE, IDENTITY } from './telling.ts';
import { UNLISTED } from './unlisted.ts';
import { PROVIDERS, WAITING } from './waiting.ts';

/** In the order of the list of quirks, whose first eleven groups these are. */
const LISTED: readonly Group[] = [
  CONNECTING,
  GREETING,
  SIGNING_IN,
  LISTINGS,
  RETRIEVING,
  DELETING,
  WAITING,
  PROVIDERS,
  HUGE,
  IDENTITY,
  DATES,
];

const GROUPS: readonly Group[] = [...LISTED, UNLISTED];

const HURRY = 600;
const RUN_MS = 60_000;

/** Time that passes faster; what is waited for in it is real. */
function hurriedClock(): Clock {
  const startMs = Date.now();
  return {
    ...systemClock,
    now: () => startMs + (Date.now() - startMs) * HURRY,
    after(delayMs, fire) {
      const handle = setTimeout(fire, delayMs / HURRY);
      return () => clearTimeout(handle);
    },
  };
}

interface Story {
  readonly world: World;
  readonly reports: readonly RunReport[];
  /** All that the server ever held. */
  readonly held: readonly ScriptedMessage[];
}

async function told({ world: options, runs = 2, hurried, between }: Tried): Promise<Story> {
  const world = new World({ messages: five(), ...options });
  const clock = hurried ? hurriedClock() : world.clock;
  const held = new Set(world.server.messages);
  const reports: RunReport[] = [];
  for (let run = 1; run <= runs; run += 1) {
    if (run > 1) between?.(world, run);
    for (const message of world.server.messages) held.add(message);
    const deadlineMs = clock.now() + (hurried ? 20 * RUN_MS : RUN_MS);
    reports.push(await world.run({ deadlineMs }, { clock }));
  }
  return { world, reports, held: [...held] };
}

/** What holds for every row: nothing stored that no mail is, no event without its object, counts that add up. */
async function checkPromises({ world, reports, held }: Story): Promise<void> {
  const mails = new Set(contentsOf(held));
  for (const content of await world.contents()) expect(mails).toContain(content);
  const objects = await world.objects();
  for (const { key, size } of world.publisher.stored) expect(objects.get(key)?.length).toBe(size);
  for (const { message } of world.server.removals)
    expect(await world.contents()).toEqual(expect.arrayContaining(contentsOf([message])));
  for (const { counts } of reports) {
    const { listed, ...classes } = counts;
    expect(Object.values(classes).reduce((sum, count) => sum + count, 0)).toBe(listed);
  }
}

async function checkExpected({ world, reports, held }: Story, outcome: Expected): Promise<void> {
  const distinct = new Set(
    held.map(({ uidl, chunks }) => `${uidl} ${Buffer.concat([...chunks()]).toString('latin1')}`),
  );
  const events = new Set(world.publisher.stored.map(({ id }) => id));
  const stored = outcome.stored ?? (outcome.events === undefined ? distinct.size : outcome.events);
  expect((await world.objects()).size, 'stored').toBe(stored);
  expect(events.size, 'announced').toBe(outcome.events ?? stored);
  expect(world.publisher.stored.length, 'announced twice').toBe(events.size);
  const kept = world.mailbox.delete === 'keep' ? world.server.messages.length : 0;
  expect(world.server.messages.length, 'left').toBe(outcome.left ?? kept);
  if (outcome.retrieved !== undefined) expect(world.retrieved, 'retrieved').toBe(outcome.retrieved);
  if (outcome.first) expect(reports[0]).toMatchObject(outcome.first);
  if (outcome.last) expect(reports.at(-1)).toMatchObject(outcome.last);
  if (outcome.says) expect(wordsOf(reports)).toMatch(outcome.says);
  if (outcome.never) for (const command of commandsOf(world)) expect(command).not.toMatch(outcome.never);
  await outcome.check?.(world, reports);
}

function wordsOf(reports: readonly RunReport[]): string {
  return reports
    .flatMap(({ notes, messages, error }) => [
      ...notes,
      ...messages.map(({ message }) => message),
      error?.message,
    ])
    .join('\n');
}

describe.each(GROUPS)('$name', ({ tried, shown }) => {
  it.each(tried.map((row) => [row.when, row.ids.join(' '), row] as const))('%s (%s)', async (_, __, row) => {
    const story = await told(row);
    await checkPromises(story);
    await checkExpected(story, row.outcome);
  });

  if (shown.length > 0)
    it('the rest stands where the table says', () => {
      for (const { by } of shown)
        for (const { file, title } of by)
          expect(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')).toContain(title);
    });
});

describe('the table', () => {
  const rows = GROUPS.flatMap(({ tried, shown, left }) => [...tried, ...shown, ...left]);

  it('covers each of its ids, or says why not, never both', () => {
    const covered = new Set(
      GROUPS.flatMap(({ tried, shown }) => [...tried, ...shown].flatMap(({ ids }) => ids)),
    );
    const left = new Set(GROUPS.flatMap((group) => group.left.flatMap(({ ids }) => ids)));
    for (const { ids } of GROUPS)
      for (const id of ids.split(' ')) expect([id, covered.has(id) !== left.has(id)]).toEqual([id, true]);
  });

  it('names no id that no list has', () => {
    const known = new Set(GROUPS.flatMap(({ ids }) => ids.split(' ')));
    const later = new Set(['X-03']);
    for (const { ids } of rows)
      for (const id of ids) expect([id, known.has(id) || later.has(id)]).toEqual([id, true]);
  });

  const list = new URL('../../../shared/quirks.md', import.meta.url);
  it.skipIf(!existsSync(list))('has exactly the ids of the first eleven groups of the list', () => {
    const [, ...sections] = readFileSync(list, 'utf8').split(/^## (?=\d+\. )/m);
    for (const [at, { ids }] of LISTED.entries()) {
      const listed = [...(sections[at] ?? '').matchAll(/^\| ([A-Z]-\d+) \|/gm)].map(([, id]) => id);
      expect(ids.split(' ')).toEqual(listed);
    }
  });
});
