/** The whole way with nothing of ours in between: Dovecot over TLS, the installed command, a folder and a file. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Command, type Ended, installCommand } from './endsCommand.ts';
import { type FolderEnd, startFolder } from './endsFar.ts';
import {
  type Oracle,
  repeats,
  type Seen,
  sha256,
  storedEvents,
  unfinished,
  violations,
} from './endsLedger.ts';
import { cuttingCorpus, type NearEnd, passwordOf, startMail, wholeCorpus } from './endsMail.ts';
import { needing } from './endsParts.ts';

const { missing, title } = needing('Dovecot to a folder, by the command', 'dovecot');

describe.skipIf(missing)(title, () => {
  let near: NearEnd;
  let far: FolderEnd;
  let command: Command;

  beforeAll(async () => {
    [near, far, command] = await Promise.all([startMail(4), startFolder(), installCommand()]);
  });
  afterAll(async () => {
    await command?.stop();
    await near?.server.stop();
    await far?.stop();
  });

  const fetch = (user: string, policy: 'keep' | 'when-stored'): Promise<Ended> =>
    command.fetch({
      mailbox: { id: user, port: near.server.port, user, delete: policy },
      password: passwordOf(near.server, user),
      ca: near.server.ca,
      store: { folder: far.folder },
      events: { file: far.eventsFile },
    });
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

  it.each(['keep', 'when-stored'] as const)('carries the whole corpus byte for byte: %s', async (policy) => {
    const user = policy === 'keep' ? 'u1' : 'u2';
    const messages = wholeCorpus();
    await near.server.put(user, messages);
    const oracle = await near.oracle(user);
    const first = await fetch(user, policy);
    expect(first.report, first.words).toMatchObject({
      outcome: 'done',
      error: null,
      counts: { stored: messages.length },
    });
    const left = await near.oracle(user);
    const after = await seen(user, left.keys());
    expect([...violations(oracle, after), ...unfinished(oracle, after)]).toEqual([]);
    expect(after.objects.size).toBe(messages.length);
    expect(repeats(after.events)).toBe(0);
    expect([...left.keys()]).toEqual([...kept(policy, oracle, after)]);

    const before = (await sessions(user, 3)).length;
    const second = await fetch(user, policy);
    expect(second).toMatchObject({
      code: 0,
      report: { outcome: 'done', counts: { stored: 0 }, deletions: { requested: 0 } },
    });
    expect((await sessions(user, before + 1)).at(-1)).toBe(0);
    const again = await seen(user, left.keys());
    expect([...again.objects.keys()]).toEqual([...after.objects.keys()]);
    expect(again.events).toEqual(after.events);
  });

  it('never announces a message that cuts itself; its neighbours are right, and gone', async () => {
    const user = 'u3';
    const { before, cutting, after } = cuttingCorpus();
    await near.server.put(user, [...before, cutting, ...after]);
    // No plain reader survives that mailbox: the neighbours are read where they have it not among them.
    await near.server.put('u4', [...before, ...after]);
    const wire = [...(await near.oracle('u4')).values()].map(sha256).sort();
    let last = await fetch(user, 'when-stored');
    for (let runs = 1; runs < 5 && last.report?.counts.setAside !== 1; runs += 1)
      last = await fetch(user, 'when-stored');
    expect(last.report).toMatchObject({ outcome: 'done', counts: { setAside: 1, failed: 0 } });
    const objects = await far.objects(user);
    const events = storedEvents(await far.events(user));
    expect([...objects.values()].map(sha256).sort()).toEqual(wire);
    expect(events.map((event) => event.sha256).sort()).toEqual(wire);
    const short = events.filter((event) => event.short).length;
    expect(await near.server.list(user)).toHaveLength(short + 1);
  });
});

/** With deletes only what was delivered short of LIST is left. */
function kept(policy: string, oracle: Oracle, { events }: Pick<Seen, 'events'>): Iterable<string> {
  if (policy === 'keep') return oracle.keys();
  const short = new Set(storedEvents(events).flatMap((event) => (event.short ? [event.uidl] : [])));
  return [...oracle.keys()].filter((uidl) => short.has(uidl));
}
