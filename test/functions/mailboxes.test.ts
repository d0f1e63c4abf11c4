import { describe, expect, it } from 'vitest';
import { readMailboxes } from '../../functions/mailboxes.ts';
import { MAILBOXES_KEY } from '../../lib/mailbox/settings.ts';
import { memoryStore } from '../../lib/store/memory.ts';

const mailbox = (id: string) => ({ id, host: 'pop.example.org', user: id, password: 'secretsmanager:s#p' });
const body = (...ids: string[]) => Buffer.from(JSON.stringify({ v: 1, mailboxes: ids.map(mailbox) }));

describe('the mailboxes of a bucket', () => {
  it('are understood once for each version of their document, and anew when it was changed', async () => {
    const store = memoryStore('archive');
    const first = await store.replace(MAILBOXES_KEY, body('a'), null);
    const read = await readMailboxes(store);
    expect(read.document.mailboxes.map(({ id }) => id)).toEqual(['a']);
    expect(await readMailboxes(store)).toBe(read);
    await store.replace(MAILBOXES_KEY, body('a', 'b'), first);
    expect((await readMailboxes(store)).document.mailboxes.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it.each([
    ['with a byte order mark', '\ufeff', (text: string) => text],
    ['with CRLF', '', (text: string) => text.replaceAll('\n', '\r\n')],
    ['in one line', '', (text: string) => text.replaceAll(/\n */g, '')],
  ])('may be written by any editor: %s', async (_what, before, edited) => {
    const store = memoryStore('archive');
    const text = JSON.stringify({ v: 1, mailboxes: [mailbox('a')] }, null, 2);
    await store.replace(MAILBOXES_KEY, Buffer.from(before + edited(text)), null);
    expect((await readMailboxes(store)).document.mailboxes.map(({ id }) => id)).toEqual(['a']);
  });

  it('are not those of another store, and are gone with their document', async () => {
    const [one, other] = [memoryStore('archive'), memoryStore('archive')];
    await one.replace(MAILBOXES_KEY, body('a'), null);
    await other.replace(MAILBOXES_KEY, body('b'), null);
    await readMailboxes(one);
    expect((await readMailboxes(other)).document.mailboxes.map(({ id }) => id)).toEqual(['b']);
    await one.remove(MAILBOXES_KEY);
    await expect(readMailboxes(one)).rejects.toThrow('no such object');
  });
});
