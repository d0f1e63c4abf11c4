import { describe, expect, test } from 'vitest';
import { mail } from '../servers/scripted.ts';
import { letter, World } from './world.ts';

const HOUR_MS = 3_600_000;
const three = () => ['a', 'b', 'c'].map((name) => mail(name, letter(name)));
const deles = ({ server }: World) =>
  server.log.sessions.flatMap(({ commands }) => commands).filter((line) => line.startsWith('DELE')).length;

function ignoring(): World {
  return new World({
    messages: three(),
    settings: { delete: 'when-stored' },
    behaviour: { deletes: 'ignored' },
  });
}

/** Runs, a minute apart, and how many DELEs each sent. */
async function runs(world: World, count: number) {
  const told = [];
  for (let run = 0; run < count; run += 1) {
    const before = deles(world);
    const report = await world.run();
    told.push({ report, deles: deles(world) - before });
    world.skewMs += 60_000;
  }
  return told;
}

describe('a server that says +OK to DELE and QUIT and keeps the mail', () => {
  test('is asked in three runs, told of once, and left in peace', async () => {
    const world = ignoring();
    const told = await runs(world, 6);
    expect(told.map((one) => one.deles)).toEqual([3, 3, 3, 0, 0, 0]);
    expect(told.map(({ report }) => report.error?.code ?? null)).toEqual([
      null,
      null,
      null,
      'E_POP3_DELETES_IGNORED',
      null,
      null,
    ]);
    expect(told[3]?.report).toMatchObject({ outcome: 'done', error: { kind: 'person', phase: 'dele' } });
    expect(told[5]?.report.notes.join()).toMatch(/lists the mail again.*asked for again after/);
    const errors = world.publisher.accepted.flatMap((event) =>
      event.detailType === 'Run Finished' && event.detail.error !== null ? [event.detail.error.code] : [],
    );
    expect(errors).toEqual(['E_POP3_DELETES_IGNORED']);
    expect(told.at(-1)?.report.counts).toMatchObject({ listed: 3, alreadyStored: 3 });
  });

  test('is asked once more after a day, and told of again where that was in vain', async () => {
    const world = ignoring();
    await runs(world, 5);
    world.skewMs += 24 * HOUR_MS;
    const told = await runs(world, 3);
    expect(told.map((one) => one.deles)).toEqual([3, 0, 0]);
    expect(told.map(({ report }) => report.error?.code ?? null)).toEqual([
      null,
      'E_POP3_DELETES_IGNORED',
      null,
    ]);
  });

  test('is found out, too, where LOGIN-DELAY ends a run at its second sign-in, and the next ones have no other', async () => {
    // What is tried alone waits for a session that has nothing to delete.
    const bad = { verb: 'RETR', args: '4', reply: '-ERR cannot be read\r\n' };
    const delayed = { verb: 'PASS', reply: '-ERR [LOGIN-DELAY] not so soon\r\n' };
    const world = new World({
      messages: [...three(), mail('bad', letter('bad'))],
      settings: { delete: 'when-stored' },
      behaviour: { deletes: 'ignored' },
      faults: [bad, { ...delayed, session: 2 }],
    });
    const told = await runs(world, 4);
    expect(told.map((one) => one.deles)).toEqual([3, 3, 3, 0]);
    expect(told[3]?.report.error?.code).toBe('E_POP3_DELETES_IGNORED');
  });

  test('has its new mail fetched all the same', async () => {
    const world = ignoring();
    await runs(world, 4);
    world.server.messages.push(mail('d', letter('d')));
    const [told] = await runs(world, 1);
    expect(told?.report.counts).toMatchObject({ listed: 4, stored: 1, alreadyStored: 3 });
    expect(told?.deles).toBe(0);
  });
});

describe('a server that says -ERR to each QUIT behind deletes', () => {
  const QUIT_REFUSED = { verb: 'QUIT', reply: '-ERR some deleted messages not removed\r\n' } as const;
  const refusing = (more: { readonly ineffective?: true }) =>
    new World({
      messages: three(),
      settings: { delete: 'when-stored' },
      faults: [{ ...QUIT_REFUSED, ...more }],
    });

  test('and keeps the mail is asked in three runs, told of once, and left in peace', async () => {
    const world = refusing({ ineffective: true });
    const told = await runs(world, 6);
    expect(told.map((one) => one.deles)).toEqual([3, 3, 3, 0, 0, 0]);
    expect(told.map(({ report }) => report.error?.code).filter((code) => code !== undefined)).toEqual([
      'E_POP3_DELETES_IGNORED',
    ]);
  });

  test('and has removed it all the same is not said to ignore them', async () => {
    const world = refusing({});
    for (let run = 0; run < 5; run += 1) {
      world.server.messages.push(mail(`n${run}`, letter(`n${run}`)));
      expect((await world.run()).error).toBeNull();
    }
    expect(world.server.messages).toEqual([]);
  });
});

test('one that expunges late is forgiven', async () => {
  const world = ignoring();
  await runs(world, 3);
  world.server.messages.splice(0, 3, mail('d', letter('d')));
  const [told] = await runs(world, 1);
  expect(told).toMatchObject({ deles: 1, report: { outcome: 'done', error: null } });
  expect((await world.head()).unheeded).toMatchObject({ runs: 0, sample: [{ uidl: 'd' }] });
});

test('deletes that take effect leave nothing behind once the next listing has shown it', async () => {
  const world = new World({ messages: three(), settings: { delete: 'when-stored' } });
  await runs(world, 1);
  expect((await world.head()).unheeded).toMatchObject({ runs: 0 });
  world.server.messages.push(mail('d', letter('d')));
  await runs(world, 2);
  world.server.messages.push(mail('e', letter('e')));
  expect((await world.run()).notes).toEqual([]);
  expect((await world.head()).unheeded).toMatchObject({ runs: 0, sample: [{ uidl: 'e' }] });
});
