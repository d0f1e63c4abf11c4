/** The whole way on AWS's side: Dovecot over TLS, the bundled handler under AWS's runtime, a real S3 server, a bus. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type BucketEnd, startBucket } from './endsFar.ts';
import { type FetchFunction, startFunction } from './endsFunction.ts';
import { repeats, sha256, storedEvents, unfinished, violations } from './endsLedger.ts';
import { cuttingCorpus, type NearEnd, passwordOf, startMail, wholeCorpus } from './endsMail.ts';
import { needing } from './endsParts.ts';

const { missing, title } = needing('Dovecot to S3 and a bus, by the function', 'dovecot', 'versitygw', 'ric');

const POLICIES = { u1: 'keep', u2: 'when-stored', u3: 'when-stored' } as const;

describe.skipIf(missing)(title, () => {
  let near: NearEnd;
  let far: BucketEnd;
  let fetcher: FetchFunction;

  beforeAll(async () => {
    [near, far] = await Promise.all([startMail(4), startBucket()]);
    const { port, ca } = near.server;
    const mailboxes = Object.entries(POLICIES).map(([user, policy]) => ({
      ...{ id: user, port, ca, user, delete: policy },
      secret: passwordOf(near.server, user),
    }));
    fetcher = await startFunction({ far, mailboxes });
  });
  afterAll(async () => {
    await fetcher?.stop();
    await near?.server.stop();
    await far?.stop();
  });

  const fetch = async (user: string) => {
    const outcome = await fetcher.fetch(user);
    expect(outcome, fetcher.runtime.log.slice(-2000)).toMatchObject({ result: { batchItemFailures: [] } });
    return fetcher.report(user);
  };
  const seen = async (user: string, left: Iterable<string>) => ({
    objects: await far.objects(user),
    events: await far.events(user),
    left: new Set(left),
  });
  /** Dovecot writes a session's line a moment after it answered QUIT. */
  const sessions = (user: string, count: number) =>
    vi.waitFor(async () => {
      const retrieved = await near.retrieved(user);
      expect(retrieved).toHaveLength(count);
      return retrieved;
    });

  it.each(['u1', 'u2'] as const)('carries the whole corpus byte for byte, mailbox %s', async (user) => {
    const messages = wholeCorpus();
    await near.server.put(user, messages);
    const oracle = await near.oracle(user);
    expect(await fetch(user)).toMatchObject({ outcome: 'done', counts: { stored: messages.length } });
    const left = await near.oracle(user);
    const after = await seen(user, left.keys());
    expect([...violations(oracle, after), ...unfinished(oracle, after)]).toEqual([]);
    expect(after.objects.size).toBe(messages.length);
    expect(repeats(after.events)).toBe(0);
    const short = storedEvents(after.events).flatMap((event) => (event.short ? [event.uidl] : []));
    expect([...left.keys()].sort()).toEqual(
      POLICIES[user] === 'keep' ? [...oracle.keys()].sort() : short.sort(),
    );

    await sessions(user, 3);
    expect(await fetch(user)).toMatchObject({
      outcome: 'done',
      counts: { stored: 0 },
      deletions: { requested: 0 },
    });
    expect((await sessions(user, 4)).at(-1)).toBe(0);
    const again = await seen(user, left.keys());
    expect([...again.objects.keys()]).toEqual([...after.objects.keys()]);
    expect(again.events).toEqual(after.events);
    expect(fetcher.runtime.starts).toBe(1);
  });

  it('never announces a message that cuts itself; its neighbours are right, and gone', async () => {
    const { before, cutting, after } = cuttingCorpus();
    await near.server.put('u3', [...before, cutting, ...after]);
    // No plain reader survives that mailbox: the neighbours are read where they have it not among them.
    await near.server.put('u4', [...before, ...after]);
    const wire = [...(await near.oracle('u4')).values()].map(sha256).sort();
    let last = await fetch('u3');
    for (let runs = 1; runs < 5 && last?.counts.setAside !== 1; runs += 1) last = await fetch('u3');
    expect(last).toMatchObject({ outcome: 'done', counts: { setAside: 1, failed: 0 } });
    const events = storedEvents(await far.events('u3'));
    expect([...(await far.objects('u3')).values()].map(sha256).sort()).toEqual(wire);
    expect(events.map((event) => event.sha256).sort()).toEqual(wire);
    const short = events.filter((event) => event.short).length;
    expect(await near.server.list('u3')).toHaveLength(short + 1);
  });
});
