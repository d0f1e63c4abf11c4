/** The mailboxes that a store itself names: changed by the command, and used by all others. A folder stands for the bucket. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../bin/exitCodes.ts';
import { systemClock } from '../../lib/fetch/systemClock.ts';
import { MAILBOXES_KEY } from '../../lib/mailbox/settings.ts';
import { folderStore } from '../../lib/store/folder.ts';
import { type Circumstances, mailferry, messages, reportsIn, server, workFolder } from './harness.ts';

const SUPPORT = {
  id: 'support',
  host: 'pop.example.org',
  user: 'ada',
  password: 'secretsmanager:mail#support',
};
const BILLING = {
  id: 'billing',
  host: 'pop.example.org',
  user: 'bob',
  password: 'secretsmanager:mail#billing',
};

async function start() {
  const cwd = await workFolder();
  const store = folderStore(join(cwd, 'store'), systemClock);
  const run = (argv: readonly string[], more: Partial<Circumstances> = {}) =>
    mailferry([...argv, '--folder', 'store'], { cwd, ...more });
  const apply = async (mailboxes: readonly object[], options: readonly string[] = ['--yes'], more = {}) => {
    await writeFile(join(cwd, 'mailboxes.yaml'), JSON.stringify({ mailboxes }));
    return run(['mailboxes', 'apply', 'mailboxes.yaml', ...options], more);
  };
  const document = async () => {
    const object = await store.read(MAILBOXES_KEY);
    if (object === null) return null;
    const pieces: Uint8Array[] = [];
    for await (const piece of object.chunks) pieces.push(piece);
    return JSON.parse(Buffer.concat(pieces).toString()) as { mailboxes: Record<string, unknown>[] };
  };
  const replace = async (text: string) => {
    const version = (await store.read(MAILBOXES_KEY))?.version ?? null;
    await store.replace(MAILBOXES_KEY, Buffer.from(text), version);
  };
  return { cwd, run, apply, document, replace };
}

describe('mailboxes apply', () => {
  it('writes what was given, shows what differs before it asks, and writes nothing where the answer is no', async () => {
    const { apply, document } = await start();
    expect(await apply([SUPPORT])).toMatchObject({
      code: EXIT.done,
      stdout: expect.stringContaining('+ support'),
    });
    expect(await document()).toEqual({ v: 1, mailboxes: [SUPPORT] });
    let asked = 0;
    const answer = (yes: boolean) => ({
      confirm: async () => {
        asked += 1;
        return yes;
      },
    });
    const changed = [{ ...SUPPORT, delete: 'when-stored' }, BILLING];
    const no = await apply(changed, [], answer(false));
    expect(no).toMatchObject({ code: EXIT.usage, stderr: 'Nothing was changed.\n' });
    expect(no.stdout).toContain('~ support: delete (left out) → when-stored');
    expect(no.stdout).toContain('+ billing: pop.example.org');
    expect(await document()).toEqual({ v: 1, mailboxes: [SUPPORT] });
    expect((await apply(changed, [], answer(true))).code).toBe(EXIT.done);
    expect(await document()).toEqual({ v: 1, mailboxes: changed });
    expect((await apply(changed, [], answer(true))).stdout).toBe('Nothing differs.\n');
    expect(asked).toBe(2);
  });

  it('refuses to take a mailbox away without --remove, and to go on where nobody can be asked', async () => {
    const { apply, document } = await start();
    await apply([SUPPORT, BILLING]);
    const refused = await apply([BILLING]);
    expect(refused).toMatchObject({ code: EXIT.usage, stderr: expect.stringContaining('--remove') });
    expect(await apply([SUPPORT, BILLING, { ...BILLING, id: 'third' }], [])).toMatchObject({
      code: EXIT.usage,
      stderr: expect.stringContaining('--yes'),
    });
    expect((await document())?.mailboxes).toHaveLength(2);
    expect((await apply([BILLING], ['--yes', '--remove'])).code).toBe(EXIT.done);
    expect(await document()).toEqual({ v: 1, mailboxes: [BILLING] });
  });

  it('tells all problems at once, and shows no secret that stands in the file or in the store by mistake', async () => {
    const { apply, document, replace } = await start();
    const wrong = await apply([{ ...SUPPORT, password: 'hunter2', port: 0 }, BILLING, BILLING]);
    expect(wrong.code).toBe(EXIT.usage);
    for (const word of ['password', 'port', 'is used twice']) expect(wrong.stderr).toContain(word);
    expect(wrong.stderr + wrong.stdout).not.toContain('hunter2');
    expect(await document()).toBeNull();

    await replace(JSON.stringify({ v: 1, mailboxes: [{ ...SUPPORT, password: 'hunter2' }, BILLING] }));
    const mended = await apply([SUPPORT, BILLING]);
    expect(mended).toMatchObject({
      code: EXIT.done,
      stdout: expect.stringContaining('~ support: was wrong'),
    });
    expect(mended.stdout).not.toContain('hunter2');
    await replace('not JSON');
    expect((await apply([SUPPORT])).stderr).toContain('--remove');
    expect((await apply([SUPPORT], ['--yes', '--remove'])).code).toBe(EXIT.done);
  });

  it('names few of many mailboxes, and what it wants where it is given something else', async () => {
    const { apply, run, replace } = await start();
    await apply(Array.from({ length: 50 }, (_, at) => ({ ...SUPPORT, id: `team-${at}` })));
    for (const deed of ['show', 'pause', 'resume'])
      expect((await run(['mailboxes', deed, 'billing'])).stderr).toMatch(
        /team-0, .*team-19, … and 30 more$/m,
      );
    expect((await apply([SUPPORT])).stderr).toMatch(/50 mailboxes \(team-0, .*, … and 30 more\)/);
    const none = await run(['mailboxes', 'apply', 'no-such.yaml']);
    expect(none).toMatchObject({ code: EXIT.usage, stderr: expect.stringContaining('mailboxes:') });
    expect(none.stderr).not.toContain('store:');
    await replace('{"v":1,"mailboxes":[]}');
    expect((await run(['mailboxes', 'pause', 'billing'])).stderr).toContain('it has: none');
  });

  it('of two at once tells one to look again', async () => {
    const { apply, document } = await start();
    await apply([SUPPORT]);
    const second = async () => {
      expect((await apply([SUPPORT, BILLING])).code).toBe(EXIT.done);
      return true;
    };
    const first = await apply([{ ...SUPPORT, every: '1m' }], [], { confirm: second });
    expect(first).toMatchObject({ code: EXIT.later, stderr: expect.stringContaining('look again') });
    expect((await document())?.mailboxes).toEqual([SUPPORT, BILLING]);
  });

  it('says which passwords no function can read', async () => {
    const { apply } = await start();
    expect((await apply([{ ...SUPPORT, password: 'env:SUPPORT' }])).stdout).toContain('by no function');
    expect((await apply([SUPPORT])).stdout).not.toContain('by no function');
  });
});

describe('mailboxes', () => {
  it('are listed and shown with their defaults, and their bundle', async () => {
    const { apply, run } = await start();
    await apply([SUPPORT, { ...BILLING, enabled: false }]);
    const { stdout } = await run(['mailboxes', 'list']);
    expect(stdout).toMatch(/support +yes +5m +keep +pop\.example\.org +ada\n/);
    expect(stdout).toMatch(/billing +no/);
    const shown = await run(['mailboxes', 'show', 'support', '--json']);
    expect(JSON.parse(shown.stdout)).toMatchObject({ id: 'support', port: 995, bundle: 'b-000000000000' });
    expect(await run(['mailboxes', 'show', 'nobody'])).toMatchObject({
      code: EXIT.usage,
      stderr: expect.stringContaining('it has: support, billing'),
    });
    expect((await run(['mailboxes', 'pause', 'suport'])).stderr).toContain('did you mean "support"');
  });

  it('are paused and resumed, nothing else changed, whatever is wrong with others', async () => {
    const { run, document, replace } = await start();
    const broken = { id: 'broken', port: 'x' };
    await replace(JSON.stringify({ v: 1, mailboxes: [SUPPORT, broken] }));
    expect((await run(['mailboxes', 'pause', 'support'])).code).toBe(EXIT.done);
    expect((await document())?.mailboxes).toEqual([{ ...SUPPORT, enabled: false }, broken]);
    await Promise.all([run(['mailboxes', 'resume', 'support']), run(['mailboxes', 'pause', 'broken'])]);
    expect((await document())?.mailboxes).toEqual([
      { ...SUPPORT, enabled: true },
      { ...broken, enabled: false },
    ]);
  });

  it.each([
    [['mailboxes']],
    [['mailboxes', 'apply']],
    [['mailboxes', 'list', 'support']],
    [['mailboxes', 'constructor']],
  ])('are asked for in words that are known: %j', async (argv) => {
    const { run } = await start();
    expect(await run(argv)).toMatchObject({
      code: EXIT.usage,
      stderr: expect.stringContaining('apply FILE'),
    });
  });

  it('are what other commands use, where there is no settings file', async () => {
    const pop3 = await server({ messages: messages(3) });
    const { host, port, user, ca, password } = pop3;
    const { apply, run, replace } = await start();
    const mailbox = { id: 'support', host, port, user, ca, password: 'env:PASSWORD' };
    expect((await run(['fetch'])).stderr).toContain('mailferry mailboxes apply');
    await apply([mailbox]);
    const env = { PASSWORD: password };
    const fetched = await run(['fetch', '--json'], { env });
    expect(reportsIn(fetched.stdout)).toMatchObject([{ mailbox: 'support', counts: { stored: 3 } }]);
    expect((await run(['status', 'support'])).stdout).toContain('support');
    await replace(JSON.stringify({ v: 1, mailboxes: [mailbox, { id: 'broken' }] }));
    const beside = await run(['fetch', '--json'], { env });
    expect(reportsIn(beside.stdout)).toMatchObject([{ outcome: 'done', counts: { alreadyStored: 3 } }]);
    expect(beside.stderr).toContain('mailboxes[1] ("broken").host');
    expect((await run(['fetch', 'broken'], { env })).code).toBe(EXIT.usage);
  });
});

describe('a bucket', () => {
  it('wants a bus where mail is announced, a region, and its own options only with it', async () => {
    const cwd = await workFolder();
    const said = async (...argv: string[]) => (await mailferry(argv, { cwd })).stderr;
    expect(await said('fetch', '--bucket', 'archive', '--region', 'eu-west-1')).toContain('--bus');
    expect(await said('status', '--bucket', 'archive')).toContain('--region');
    expect(await said('status', '--region', 'eu-west-1')).toContain('--bucket');
    expect(await said('fetch', '--lock-days', '30')).toContain('--bucket');
    for (const wrong of ['0', 'a year', '1e9'])
      expect(await said('fetch', '--bucket', 'archive', '--lock-days', wrong)).toContain('from 1 to 36500');
  });
});

describe('probe', () => {
  it('says of each ability what it means, and that a folder has them all', async () => {
    const { run } = await start();
    const { code, stdout } = await run(['probe']);
    expect(code).toBe(EXIT.done);
    expect(stdout.match(/^✓ /gm)).toHaveLength(5);
    expect(stdout).toContain('can be trusted with deletions');
    const json = JSON.parse((await run(['probe', '--json'])).stdout);
    expect(json).toMatchObject({ deletes: true, create: true, invisibleAborts: true });
  });
});
