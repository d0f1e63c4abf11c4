/** The whole `watch` command over days of its own time: what it holds must not depend on how long it has run. */
import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { watchCommand } from '../../bin/commands/watch.ts';
import { EXIT } from '../../bin/exitCodes.ts';
import { ByteBudget } from '../../lib/fetch/byteBudget.ts';
import type { FetchPorts } from '../../lib/fetch/ports.ts';
import { Secret, type Secrets } from '../../lib/secrets/port.ts';
import { saverByScheme } from '../../lib/secrets/saverByScheme.ts';
import { memoryStore } from '../../lib/store/memory.ts';
import { mailboxNamed } from '../fetch/world.ts';
import { tokensByReference } from '../secrets/tokensByReference.ts';
import { type Fault, generatedMail } from '../servers/scripted.ts';
import { type MemoryServer, scriptedInMemory } from '../servers/scriptedMemory.ts';
import { JumpingClock } from './manyServers.ts';

const WARM_UP_RUNS = 2_000;
const RUNS = 6_000;

/** A leak of one small object a run is several times this. */
const GROWN_BYTES = 1_500_000;

/** Of every tenth mailbox each: nobody answers, a message ends the line, the password is wrong. */
const FAULTS: readonly (readonly Fault[])[] = [
  [{ verb: 'GREETING', cutAt: 0, ending: 'stall' }],
  [{ verb: 'RETR', uidl: 'm1', cutAt: 20, ending: 'fin' }],
  [{ verb: 'PASS', reply: '-ERR [AUTH] no\r\n' }],
];

function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let time = 0; time < 3; time += 1) collect();
  return process.memoryUsage().heapUsed;
}

it('holds no more after six thousand runs than after two thousand', async () => {
  const clock = new JumpingClock();
  const servers = Array.from({ length: 20 }, (_, at) => {
    const messages = Array.from({ length: 3 }, (_, nth) => generatedMail(`m${nth}`, 500));
    return scriptedInMemory({ messages, faults: FAULTS[at % 10] ?? [], sleep: clock.sleep });
  });
  const stop = new AbortController();
  let runs = 0;
  const waiting: { readonly runs: number; readonly reached: () => void }[] = [];
  const serverOf = (text: string) => servers[Number(/\d+/.exec(text)?.[0])] as MemoryServer;
  const secrets: Secrets = { read: async (reference) => new Secret(serverOf(reference).password) };
  const ports: FetchPorts = {
    dial: async ({ host }) => {
      runs += 1;
      for (const one of waiting) if (runs >= one.runs) one.reached();
      const server = serverOf(host);
      // What the server remembers for tests is not the command's.
      server.log.sessions.splice(0);
      return server.connect();
    },
    store: memoryStore('bucket'),
    publisher: {
      durable: true,
      prove: async () => {},
      publish: async (events) => events.map(() => ({ accepted: true })),
    },
    secrets,
    tokens: tokensByReference(secrets),
    clock,
    trust: async () => ({ deletes: true, reason: '' }),
    inFlight: new ByteBudget(64 * 1024 * 1024),
  };
  const after = (count: number) =>
    clock.until(new Promise<void>((reached) => waiting.push({ runs: count, reached })));
  const mailboxes = servers.map((_, at) =>
    mailboxNamed(`box-${at}`, { host: `host-${at}.example.org`, password: `env:P${at}`, every: '1m' }),
  );
  let lines = 0;
  const say = () => {
    lines += 1;
  };
  const watching = watchCommand({
    settings: {
      store: { folder: '' },
      events: { file: '' },
      mailboxes,
      disabled: [],
      connectionsPerHost: 4,
      base: '',
    },
    mailboxes,
    uidls: [],
    chosen: { messageId: null, sinceMs: null },
    into: { mbox: undefined, maildir: undefined },
    ...{ server: true, named: false, cwd: '/' },
    ports: { ...ports, saver: saverByScheme({}) },
    terminal: { out: say, err: () => {}, json: say, live: () => {}, isLive: false },
    json: false,
    timeLimitMs: 300_000,
    signal: stop.signal,
  });
  const startMs = clock.now();
  await after(WARM_UP_RUNS);
  const early = { bytes: heapBytes(), listeners: getEventListeners(stop.signal, 'abort').length };
  await after(RUNS);
  const grown = heapBytes() - early.bytes;
  expect(getEventListeners(stop.signal, 'abort').length).toBeLessThanOrEqual(
    early.listeners + servers.length,
  );
  stop.abort();
  expect(await clock.until(watching)).toBe(EXIT.done);
  expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  const hours = (clock.now() - startMs) / 3_600_000;
  console.log(
    `watch: ${runs} runs in ${hours.toFixed(1)} h of its own time, ${lines} lines; the heap grew by ${(grown / 1e6).toFixed(2)} MB`,
  );
  expect(grown).toBeLessThan(GROWN_BYTES);
  // 20 first runs, and failures ever more seldom: not a line a poll.
  expect(lines).toBeLessThan(runs / 20);
});
