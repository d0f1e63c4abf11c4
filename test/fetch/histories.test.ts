import { describe, expect, it } from 'vitest';
import { type Behaviour, bytesOf, mail, type ScriptedMessage } from '../servers/scripted.ts';
import { MISHAPS, SimulatedProcess } from './process.ts';
import { letter, World } from './world.ts';

/** Histories of a mailbox, each from one seed: arrivals, kills, lost answers, overlaps, servers of all manners. */
const SEEDS = Number(process.env['SEEDS'] ?? 400);
const PROCESSES = 5;
const DEADLINE_MS = 120_000;

/** Mulberry32: the same seed, the same history. */
function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function pick<T>(random: () => number, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}

interface History {
  readonly world: World;
  readonly random: () => number;
  /** Every message that the server ever offered. */
  readonly offered: ScriptedMessage[];
  readonly told: string;
}

function begin(seed: number): History {
  const random = chance(seed);
  const behaviour: Behaviour = {
    deletes: pick(random, ['at QUIT', 'at QUIT', 'at disconnect', 'ignored']),
    // Nothing may be lost to a server that hides at QUIT what was retrieved: with anything in doubt there is none.
    hides: random() < 0.2 ? 'at QUIT' : 'never',
    topIsWhole: random() < 0.2,
    withoutTop: random() < 0.2,
  };
  const world = new World({
    behaviour,
    settings: { delete: pick(random, ['keep', 'when-stored', 'when-stored']) },
  });
  return { world, random, offered: [], told: `seed ${seed}` };
}

/**
 * UIDLs repeat and are used again; contents repeat too. Only what the design leaves to trust is left out: under keep,
 * another message that takes over a UIDL with the very same size counts as the first.
 */
function arrive({ world, random, offered }: History): void {
  for (let count = Math.floor(random() * 4); count > 0; count -= 1) {
    const twin = random() < 0.3;
    const name = twin ? 'twin' : `m${offered.length}`;
    const body = `${'x'.repeat(twin ? 100 : offered.length)}\r\n`;
    const message = mail(random() < 0.25 ? 'same' : `u${offered.length}`, letter(name, body));
    offered.push(message);
    world.server.messages.push(message);
  }
}

async function runOnce({ world, random }: History): Promise<void> {
  const mishap = random() < 0.3 ? 'fail before' : pick(random, MISHAPS);
  const rate = random() < 0.3 ? 0 : 1 / (5 + random() * 60);
  const process = new SimulatedProcess(world, { mishap, when: () => random() < rate });
  await process.run({ suspects: pick(random, ['after', 'after', 'never', 'only']) });
}

async function check({ world, offered, told }: History): Promise<void> {
  const genuine = new Set(offered.map((message) => bytesOf(message).toString('latin1')));
  const stored = new Set<string>();
  for (const bytes of (await world.objects()).values()) {
    const content = bytes.toString('latin1');
    expect(genuine, `${told}: an object that nobody sent`).toContain(content);
    stored.add(content);
  }
  const announced = new Set(world.publisher.stored.map(({ uidl, sha256 }) => `${uidl} ${sha256}`));
  for (const { message } of world.server.removals) {
    expect(stored, `${told}: removed and not stored`).toContain(bytesOf(message).toString('latin1'));
    const told256 = [...announced].filter((key) => key.startsWith(`${message.uidl} `));
    expect(told256.length, `${told}: removed and not announced`).toBeGreaterThan(0);
  }
}

async function checkEnd(history: History): Promise<void> {
  const { world, offered, told } = history;
  await check(history);
  const pairs = new Set(offered.map((message) => `${message.uidl} ${bytesOf(message).toString('latin1')}`));
  const objects = await world.objects();
  expect(objects.size, `${told}: one object per UIDL and content`).toBe(pairs.size);
  const ids = new Set(world.publisher.stored.map(({ id }) => id));
  expect(ids.size, `${told}: one id per object`).toBe(pairs.size);
  expect(new Set(world.publisher.stored.map(({ key }) => key)).size, `${told}: keys announced`).toBe(
    pairs.size,
  );
  const head = await world.head();
  expect(head.intents, `${told}: open intents`).toEqual([]);
  const { retrieved } = world;
  const events = world.publisher.accepted.length;
  const report = await world.run();
  expect(report.error, told).toBeNull();
  if (world.mailbox.delete === 'keep') {
    expect(world.retrieved, `${told}: quiet`).toBe(retrieved);
    expect(world.publisher.accepted.length, `${told}: silent`).toBe(events);
  }
  const { listed, ...classes } = report.counts;
  expect(
    Object.values(classes).reduce((sum, count) => sum + count, 0),
    `${told}: adds up`,
  ).toBe(listed);
}

async function live(seed: number): Promise<void> {
  const history = begin(seed);
  const { world, random } = history;
  for (let nth = 0; nth < PROCESSES; nth += 1) {
    arrive(history);
    if (random() < 0.3) await Promise.all([runOnce(history), runOnce(history)]);
    else await runOnce(history);
    await check(history);
    if (random() < 0.6) world.skewMs += DEADLINE_MS;
  }
  for (let run = 0; run < 10; run += 1) {
    world.skewMs += DEADLINE_MS;
    await world.run();
  }
  world.skewMs += 30 * 3_600_000;
  for (let run = 0; run < 3; run += 1) await world.run();
  await checkEnd(history);
}

describe('histories', () => {
  it(`keep the promises over ${SEEDS} seeds`, async () => {
    const only = process.env['SEED'];
    if (only) return live(Number(only));
    for (let seed = 1; seed <= SEEDS; seed += 1) await live(seed);
  }, 240_000);
});
