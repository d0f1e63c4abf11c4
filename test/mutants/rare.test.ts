/** Cases that 2,000 histories are too few to meet; each catches a wrong engine that they let pass. */
import { describe, expect, it } from 'vitest';
import { segmentKey } from '../../lib/mailbox/names.ts';
import { withRecords } from '../../lib/mailbox/records.ts';
import type { StoredRecord } from '../../lib/mailbox/state.ts';
import { StateFile } from '../../lib/mailbox/stateFile.ts';
import { memoryStore } from '../../lib/store/memory.ts';
import { type ObjectStore, StoreError } from '../../lib/store/port.ts';
import { SimulatedProcess } from '../fetch/process.ts';
import { contentsOf, letter, World } from '../fetch/world.ts';
import { mail } from '../servers/scripted.ts';

const NOW_MS = Date.UTC(2030, 0, 1);
const HOUR_MS = 3_600_000;

/** More than a head has room for, at some 250 octets each. */
const RECORDS = 500;

function record(nth: number): StoredRecord {
  const digits = String(nth).padStart(64, '0');
  return {
    uidl: `uidl ${nth}`,
    size: nth,
    headerHash: digits.slice(32),
    octets: nth,
    sha256: digits,
    storedMs: NOW_MS,
  };
}

/** A store that answers no write of one kind, and does each when `land` is called, if its condition still holds. */
function lateStore(
  inner: ObjectStore,
  kind: 'create' | 'replace',
): { readonly store: ObjectStore; land(): Promise<void> } {
  const late: (() => Promise<unknown>)[] = [];
  const put = (key: string, write: () => Promise<unknown>) => {
    late.push(write);
    const facts = { kind: 'unknown', code: 'E_STORE_LATE', operation: kind, key } as const;
    return Promise.reject(new StoreError('no answer', facts));
  };
  const create: ObjectStore['create'] = (key, body, digest) => {
    const copy = Buffer.from(body);
    return put(key, () => inner.create(key, copy, digest));
  };
  const replace: ObjectStore['replace'] = (key, body, expected) => {
    const copy = Buffer.from(body);
    return put(key, () => inner.replace(key, copy, expected));
  };
  return {
    store: { ...inner, ...(kind === 'create' ? { create } : { replace }) },
    async land() {
      for (const write of late) await write();
    },
  };
}

describe('what is too rare for the simulation', () => {
  it('a head that lands after its writer gave up names only segments that are there', async () => {
    const inner = memoryStore('bucket');
    const { store, land } = lateStore(inner, 'replace');
    let nonces = 0;
    const clock = {
      now: () => NOW_MS,
      nonce: () => {
        nonces += 1;
        return `n${nonces}`;
      },
    };
    const records = Array.from({ length: RECORDS }, (_, nth) => record(nth));
    const state = await StateFile.open(store, 'inbox', clock);
    await expect(state.commit((head) => withRecords(head, records))).rejects.toMatchObject({
      kind: 'unknown',
    });
    await land();
    const { head } = await StateFile.open(inner, 'inbox', clock);
    expect(head.segments).not.toEqual([]);
    for (const { name } of head.segments) expect(await inner.read(segmentKey('inbox', name))).not.toBeNull();
  });

  it('a line that nobody asked for is not taken for the status of RETR, nor the status for mail', async () => {
    const messages = ['a', 'b', 'c'].map((name) => mail(name, letter(name)));
    const world = new World({
      messages,
      faults: [{ verb: 'RETR', uidl: 'b', prefix: '+OK by the way\r\n', times: 1 }],
      settings: { delete: 'when-stored' },
    });
    for (let run = 0; run < 4; run += 1) await world.run();
    expect(await world.contents()).toEqual(contentsOf(messages));
  });

  it('a message that is gone, and whose write lands after it was looked for, is announced', async () => {
    const world = new World({ messages: [mail('a', letter('a'))] });
    const { store, land } = lateStore(world.store, 'create');
    await world.run({}, { store });
    world.server.messages.length = 0;
    world.skewMs += HOUR_MS;
    await world.run();
    expect(world.publisher.stored).toEqual([]);
    await land();
    world.skewMs += 2 * HOUR_MS;
    await world.run();
    expect(world.publisher.stored.map(({ uidl }) => uidl)).toEqual(['a']);
  });

  it('a twin arrives though its brother, listed before it and of the very same size, ends each process', async () => {
    const [killer, brother] = [mail('same', letter('a')), mail('same', letter('b'))];
    const world = new World({ messages: [killer, brother], settings: { pipelining: false } });
    for (let run = 0; run < 8; run += 1) {
      const when = (name: string) => name === 'send RETR 1';
      await new SimulatedProcess(world, { mishap: 'kill before', when }).run();
      world.skewMs += HOUR_MS;
    }
    expect(await world.contents()).toEqual(contentsOf([brother]));
    const aside = world.publisher.accepted.filter(({ detailType }) => detailType === 'Message Set Aside');
    expect(aside).toHaveLength(1);
  });
});
