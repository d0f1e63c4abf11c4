/** One suite on every POP3 server there is here: the corpus through the installed command, held against the wire. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Envelope } from '../../lib/events/envelope.ts';
import { bareLineFeed } from '../corpus.ts';
import type { Transcript } from '../servers/transcript.ts';
import { type Command, installCommand } from './endsCommand.ts';
import { repeats, sha256, storedEvents } from './endsLedger.ts';
import { type ServerEnds, startServerEnds } from './serverEnds.ts';
import { latestIn, messagesIn, missing, wrong } from './serverLedger.ts';
import { ENTRIES, type Entry } from './serverStages.ts';
import { tableOf } from './serverTable.ts';

const DOCUMENT = fileURLToPath(new URL('../../docs/servers.md', import.meta.url));

/** Runs that a mailbox may take until it is at rest: a session's loss is one, what it left in doubt another. */
const MOST_RUNS = 4;

/** Enough for a run over three messages, and no more: each of them waits so long in vain. */
const BARE_LF_SECONDS = 12;
/** The first two wait in vain for messages asked for together; from then on each is tried alone. */
const BARE_LF_RUNS = 6;

let command: Command;

beforeAll(async () => {
  command = await installCommand();
});
afterAll(() => command?.stop());

for (const entry of ENTRIES) {
  const title = `${entry.name} (stage ${entry.stage})`;
  const why = entry.skipped === undefined ? '' : `, skipped: ${entry.skipped}`;
  describe.skipIf(entry.skipped !== undefined)(`${title}${why}`, () => fetched(entry));
}

function fetched(entry: Entry): void {
  let ends: ServerEnds;

  beforeAll(async () => {
    ends = await startServerEnds(entry, command, [bareLineFeed().map(({ bytes }) => bytes())]);
    console.log(`stage ${entry.stage}: ${ends.server.title}`);
  });
  afterAll(() => ends?.stop());

  const seen = async (user: string) => ({
    objects: await ends.far.objects(user),
    events: await ends.far.events(user),
  });

  it('is stored as its wire was recorded, once, and the second run retrieves nothing', async () => {
    const { ended, said } = await ends.fetch({ user: 'u1', delete: 'keep' });
    expect(ended, ended.words).toMatchObject({ code: 0, report: { outcome: 'done', error: null } });
    const wire = messagesIn(said);
    const { objects, events } = await seen('u1');
    expect([...wrong(wire, objects, events), ...missing(wire, objects, events)]).toEqual([]);
    expect(repeats(events)).toBe(0);
    const table = tableOf(
      entry.kind,
      ends.samples,
      said.flatMap(({ retrieved }) => retrieved),
    );
    console.log([`${ends.server.title}:`, ...table].join('\n'));

    if (entry.kind.rewrites) await ends.fetch({ user: 'u1', delete: 'keep' });
    const rest = await seen('u1');
    const second = await ends.fetch({ user: 'u1', delete: 'keep' });
    expect(second.ended).toMatchObject({ code: 0, report: { outcome: 'done', counts: { stored: 0 } } });
    expect(commandsOf(second.said, 'RETR')).toEqual([]);
    const again = await seen('u1');
    expect([...again.objects.keys()]).toEqual([...rest.objects.keys()]);
    expect(again.events).toEqual(rest.events);
    expect(section(await readFile(DOCUMENT, 'utf8'), entry.name)).toEqual(table);
  });

  it('is gone where mail is deleted once it is stored, all but what is not provably whole', async () => {
    const { ended, said } = await ends.fetch({ user: 'u2', delete: 'when-stored' });
    expect(ended, ended.words).toMatchObject({ code: 0, report: { outcome: 'done', error: null } });
    const wire = messagesIn(said);
    const { objects, events } = await seen('u2');
    expect([...wrong(wire, objects, events), ...missing(wire, objects, events)]).toEqual([]);
    expect(await ends.left('u2')).toEqual(unproved(events));
  });

  if (entry.name === 'Cyrus')
    it('never takes LF.CRLF for the end: the mail that ends so stays, unstored, and what stands around it comes whole', async () => {
      const [first, , last] = bareLineFeed().map(({ bytes }) => bytes());
      const listed = await ends.left('u4');
      // The server waits for a command behind the mail, and we for its end: the time limit is what ends that.
      for (let runs = 0; runs < BARE_LF_RUNS && (await ends.left('u4')).length > 1; runs += 1)
        await ends.fetch({ user: 'u4', delete: 'when-stored', timeLimitSeconds: BARE_LF_SECONDS });
      const { objects, events } = await seen('u4');
      const contents = [first, last].map((bytes) => sha256(bytes ?? Buffer.of()));
      expect([...objects.values()].map(sha256).sort()).toEqual(contents.sort());
      expect(new Set(storedEvents(events).map(({ sha256: hash }) => hash))).toEqual(new Set(contents));
      expect(await ends.left('u4')).toEqual([listed[1]]);
    });

  it('loses and doubles nothing when the process is killed halfway, and the next goes on', async () => {
    const before = ends.proxy.recordings.length;
    await killedHalfway(ends, 'u3');
    const killed = await seen('u3');
    expect(wrong(messagesIn(ends.said(before)), killed.objects, killed.events)).toEqual([]);

    let events = killed.events;
    for (let runs = 0; runs < MOST_RUNS && !same(await ends.left('u3'), unproved(events)); runs += 1) {
      await ends.fetch({ user: 'u3', delete: 'when-stored' });
      ({ events } = await seen('u3'));
    }
    const said = ends.said(before);
    const wire = messagesIn(said);
    const whole = entry.kind.rewrites ? latestIn(said) : wire;
    const { objects } = await seen('u3');
    expect([...wrong(wire, objects, events), ...missing(whole, objects, events)]).toEqual([]);
    expect(await ends.left('u3')).toEqual(unproved(events));
  });
}

/** When most of the mail has come, and nothing more does: headers that are asked for beforehand come, too. */
async function killedHalfway({ proxy, server, start, samples }: ServerEnds, user: string): Promise<void> {
  const sizes = samples.map(({ bytes }) => bytes().length).filter((size) => size < 1_000_000);
  const most = Math.floor(0.75 * sizes.reduce((sum, size) => sum + size, 0));
  const before = proxy.recordings.length;
  proxy.plan = { cut: { direction: 'toClient', afterBytes: most, how: 'freeze' } };
  const running = await start({ user, delete: 'when-stored' });
  // Over all its sessions: deletes may have had to be committed before the rest.
  const chunks = () => proxy.recordings.slice(before).flatMap(({ toClient }) => toClient);
  const came = () => chunks().reduce((sum, chunk) => sum + chunk.length, 0);
  while (came() < most) await soon();
  running.kill();
  expect(await running.ended).toMatchObject({ signal: 'SIGKILL' });
  proxy.plan = {};
  proxy.reset();
  await server.afterLostLine?.();
}

function same(some: readonly string[], others: readonly string[]): boolean {
  return some.join('\n') === others.join('\n');
}

/** UIDLs of what may not be deleted: it came short of LIST, or LIST has no size for it (GreenMail says -1). */
function unproved(events: readonly Envelope[]): string[] {
  return storedEvents(events)
    .flatMap(({ short, announcedSize, uidl }) => (short || announcedSize === null ? [uidl] : []))
    .sort();
}

function commandsOf(said: readonly Transcript[], verb: string): string[] {
  return said.flatMap(({ commands }) => commands).filter((line) => line.startsWith(verb));
}

/** The rows of the table below a heading. */
function section(document: string, name: string): string[] {
  const [, part = ''] = document.split(`\n### ${name}\n`);
  const [own = ''] = part.split('\n### ');
  return own.split('\n').filter((line) => line.startsWith('|'));
}

function soon(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}
