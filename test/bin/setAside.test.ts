/** retry and release: what a person does about messages that are set aside. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../bin/exitCodes.ts';
import { systemClock } from '../../lib/fetch/systemClock.ts';
import { loadHead } from '../../lib/mailbox/head.ts';
import { folderStore } from '../../lib/store/folder.ts';
import { mail } from '../servers/scripted.ts';
import { mailferry, server, settingsFor, workFolder } from './harness.ts';

const letter = (name: string) => mail(name, `Message-ID: <${name}@example.org>\r\n\r\n${name}\r\n`);

/** Two messages that the server refuses, set aside at their first attempt, and one that is stored. */
async function withSetAside() {
  const reply = (number: number) =>
    ({ verb: 'RETR', args: String(number), reply: '-ERR cannot be read\r\n' }) as const;
  const faults = [reply(2), reply(3)];
  const pop3 = await server({ messages: ['good', 'bad', 'worse'].map(letter), faults });
  const cwd = await workFolder();
  await settingsFor(cwd, pop3, [{ attempts: 1 }]);
  const env = { PASSWORD: pop3.password };
  const run = (...argv: string[]) => mailferry(argv, { cwd, env });
  for (let times = 0; times < 3; times += 1) await run('fetch');
  const aside = async () => {
    const { stdout } = await run('status', '--json');
    return (JSON.parse(stdout) as { setAside: { uidl: string; attempts: number; retry: string }[] }).setAside;
  };
  const retrs = () =>
    pop3.log.sessions.flatMap(({ commands }) => commands.filter((line) => line.startsWith('RETR')));
  return { run, aside, retrs, mend: () => faults.splice(0), cwd };
}

describe('mailferry retry', () => {
  it('has the next run try those that are named, and no others', async () => {
    const { run, aside, retrs } = await withSetAside();
    expect((await aside()).map(({ uidl }) => uidl).sort()).toEqual(['bad', 'worse']);
    const before = retrs().length;
    await run('fetch');
    expect(retrs()).toHaveLength(before);
    expect(await run('retry', 'support', 'worse')).toMatchObject({
      code: EXIT.done,
      stdout: 'support: 1 message will be tried by the next run: mailferry fetch support\n',
    });
    await run('fetch');
    expect(
      retrs()
        .slice(before)
        .filter((line) => line !== 'RETR 1'),
    ).toEqual(['RETR 3']);
    const attempts = Object.fromEntries((await aside()).map((one) => [one.uidl, one.attempts]));
    expect(attempts).toEqual({ bad: 1, worse: 2 });
  });

  it('takes all that are set aside where none is named, and says so as JSON', async () => {
    const { run, aside } = await withSetAside();
    const { stdout, code } = await run('retry', 'support', '--json');
    expect(code).toBe(EXIT.done);
    const { uidls } = JSON.parse(stdout) as { uidls: string[] };
    expect(uidls.sort()).toEqual(['bad', 'worse']);
    for (const { retry } of await aside()) expect(Date.parse(retry)).toBeLessThanOrEqual(Date.now());
  });

  it.each([
    [['retry'], 'retry is about the messages of one mailbox'],
    [['release'], 'release is about the messages of one mailbox'],
    [['retry', 'other'], 'has no mailbox "other"'],
    [['release', 'support', 'bad', 'good'], 'no message with UIDL "good" is set aside; nothing was changed'],
  ])('refuses %s', async (argv, words) => {
    const { run, aside } = await withSetAside();
    const { code, stderr } = await run(...argv);
    expect(code).toBe(EXIT.usage);
    expect(stderr).toContain(words);
    expect(await aside()).toHaveLength(2);
  });

  it('has nothing to do in a mailbox with nothing set aside, and writes nothing', async () => {
    const pop3 = await server({ messages: [letter('good')] });
    const cwd = await workFolder();
    await settingsFor(cwd, pop3);
    const said = await mailferry(['retry', 'support'], { cwd, env: {} });
    expect(said).toMatchObject({ code: EXIT.done, stdout: 'support: no message is set aside\n' });
    const { version } = await loadHead(folderStore(`${cwd}/store`, systemClock), 'support');
    expect(version).toBeNull();
  });
});

describe('mailferry release', () => {
  it('takes them for new: attempts begin anew, and a person is told anew', async () => {
    const { run, aside, cwd } = await withSetAside();
    expect((await run('release', 'support', 'bad')).stdout).toContain('1 message will be taken for new');
    expect((await aside()).map(({ uidl }) => uidl)).toEqual(['worse']);
    for (let times = 0; times < 3; times += 1) await run('fetch');
    expect((await aside()).map(({ uidl, attempts }) => [uidl, attempts]).sort()).toEqual([
      ['bad', 1],
      ['worse', 1],
    ]);
    const events = (await readFile(`${cwd}/store/events.ndjson`, 'utf8')).split('\n');
    expect(events.filter((line) => line.includes('Message Set Aside'))).toHaveLength(3);
  });

  it('gets them once the server is mended', async () => {
    const { run, aside, mend } = await withSetAside();
    mend();
    await run('release', 'support');
    const said = await run('fetch');
    expect(said).toMatchObject({ code: EXIT.done });
    expect(await aside()).toEqual([]);
  });
});
