import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../bin/exitCodes.ts';
import { loadSettings, MINIMAL_FILE } from '../../bin/settings.ts';
import { wire } from '../../bin/wiring.ts';
import { mailferry, workFolder } from './harness.ts';

/** Only the environment of the test counts. */
const at = (cwd: string, env = {}) => ({ cwd, env });

const NOTHING = { config: undefined, folder: undefined, bucket: undefined, ids: [] };

async function folderWith(text: string): Promise<string> {
  const folder = await workFolder();
  await writeFile(join(folder, 'mailferry.yaml'), text);
  return folder;
}

describe('the settings file', () => {
  it('that is missing is answered with one that would do', async () => {
    const cwd = await workFolder();
    const said = await mailferry(['fetch'], { cwd });
    expect(said.code).toBe(EXIT.usage);
    expect(said.stderr).toContain('There is no mailferry.yaml');
    expect(said.stderr).toContain(MINIMAL_FILE.replace(/^/gm, '    '));
    // What is shown must be good.
    const { mailboxes } = await loadSettings(NOTHING, at(await folderWith(MINIMAL_FILE)));
    expect(mailboxes[0]).toMatchObject({ id: 'support', port: 995, delete: 'keep' });
  });

  it('that is empty, or has comments alone, is answered with one that would do', async () => {
    for (const text of ['', '\n', '\ufeff# mine\r\n\r\n   # too\r\n']) {
      const said = await mailferry(['fetch'], { cwd: await folderWith(text) });
      expect(said.code).toBe(EXIT.usage);
      expect(said.stderr).toContain('mailferry.yaml is empty.');
      expect(said.stderr).toContain(MINIMAL_FILE.replace(/^/gm, '    '));
    }
  });

  it('that is not UTF-8 is refused: a name in it would be another one', async () => {
    const cwd = await workFolder();
    for (const encoding of ['latin1', 'utf16le'] as const) {
      const text = `\ufeff${MINIMAL_FILE.replace('support@', 'müller@')}`;
      await writeFile(join(cwd, 'mailferry.yaml'), Buffer.from(text, encoding));
      const said = await mailferry(['status'], { cwd });
      expect(said.code).toBe(EXIT.usage);
      expect(said.stderr).toContain('the file is not UTF-8 text: save it as UTF-8');
    }
  });

  it('may begin with a byte order mark and have CRLF', async () => {
    const cwd = await folderWith(`\ufeff${MINIMAL_FILE.replaceAll('\n', '\r\n')}`);
    expect((await mailferry(['status'], { cwd })).stdout).toBe('support: never fetched\n');
  });

  it('that is a folder is told as such', async () => {
    const said = await mailferry(['status', '--config', '.'], { cwd: await workFolder() });
    expect(said.code).toBe(EXIT.usage);
    expect(said.stderr).toContain('is a folder: name the file in it.');
  });

  it('with very many mailboxes names the one that was meant, and never all of them', async () => {
    const mailboxes = Array.from({ length: 500 }, (_, at) => ({
      ...{ id: `team-${at}`, host: 'pop.example.org', user: 'u', password: 'env:P' },
    }));
    const cwd = await folderWith(JSON.stringify({ store: { folder: 'mail' }, mailboxes }));
    const told = async (id: string) => (await mailferry(['status', id], { cwd })).stderr.split('\n')[0];
    expect(await told('taem-499')).toBe(
      'mailferry: mailferry.yaml has no mailbox "taem-499"; did you mean "team-499"?',
    );
    expect(await told('billing')).toMatch(/"billing"; it has: team-0, .*, team-19, … and 480 more$/);
  });

  it('tells all problems at once, each with its place', async () => {
    const cwd = await folderWith(`
store: { folder: mail, colour: red }
mailboxes:
  - { id: Support, host: "pop example", user: u, password: hunter2 }
  - { id: billing, host: pop.example.org, user: u, password: "env:P", delete: always, port: 0 }`);
    const said = await mailferry(['check'], { cwd });
    expect(said.code).toBe(EXIT.usage);
    for (const word of ['store', 'mailboxes[0]', 'host', 'password', 'delete', 'port']) {
      expect(said.stderr).toContain(word);
    }
    expect(said.stderr.split('\n').length).toBeGreaterThan(6);
    // A password that was written into the file by mistake is not shown.
    expect(said.stderr).not.toContain('hunter2');
  });

  it('that is not YAML is answered with lines, and without quoting a secret from it', async () => {
    const cwd = await folderWith('store: { folder: mail\nmailboxes:\n  - password: "hunter2\n');
    const said = await mailferry(['fetch'], { cwd });
    expect(said.code).toBe(EXIT.usage);
    expect(said.stderr).toMatch(/line \d+, column \d+: /);
    expect(said.stderr).not.toContain('hunter2');
  });

  it('cannot blow up memory by aliases', async () => {
    const levels = Array.from({ length: 9 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at}, `.repeat(9)}]`);
    const said = await mailferry(['fetch'], { cwd: await folderWith(`a0: &a0 [x]\n${levels.join('\n')}\n`) });
    expect(said.code).toBe(EXIT.usage);
    expect(said.stderr).toContain('alias');
  });

  it('means paths relative to itself, and those of the command line relative to where it is typed', async () => {
    const cwd = await workFolder();
    await mkdir(join(cwd, 'etc'));
    await writeFile(join(cwd, 'etc', 'm.yaml'), `${MINIMAL_FILE}\nevents: { file: log/events.ndjson }\n`);
    const choice = { ...NOTHING, config: 'etc/m.yaml' };
    const here = await loadSettings(choice, at(cwd));
    expect(here.store).toEqual({ folder: join(cwd, 'etc', 'mail') });
    expect(here.events).toEqual({ file: join(cwd, 'etc', 'log', 'events.ndjson') });
    expect(here.base).toBe(join(cwd, 'etc'));
    expect((await loadSettings({ ...choice, folder: 'try' }, at(cwd))).store).toEqual({
      folder: join(cwd, 'try'),
    });
  });

  it('puts events beside the mail in a folder, and wants a choice for a bucket', async () => {
    const cwd = await folderWith(MINIMAL_FILE);
    expect((await loadSettings(NOTHING, at(cwd))).events).toEqual({
      file: join(cwd, 'mail', 'events.ndjson'),
    });
    const said = await mailferry(['fetch', '--config', 'mailferry.yaml', '--bucket', 'archive'], { cwd });
    expect(said.code).toBe(EXIT.usage);
    expect(said.stderr).toContain('events: a bucket needs a choice');
  });

  it('keeps the region and endpoint of its bucket when another bucket is named', async () => {
    const cwd = await folderWith(
      MINIMAL_FILE.replace('{ folder: ./mail }', '{ bucket: one, region: eu-west-1 }\nevents: { bus: mail }'),
    );
    const { store, events } = await loadSettings({ ...NOTHING, bucket: 'two' }, at(cwd));
    expect(store).toEqual({ bucket: 'two', region: 'eu-west-1' });
    expect(events).toEqual({ bus: 'mail', region: 'eu-west-1' });
  });

  it('keeps mail in its bucket for as long as it says, or the command line does', async () => {
    const locked = (objectLock: string) =>
      folderWith(
        MINIMAL_FILE.replace(
          '{ folder: ./mail }',
          `{ bucket: one, region: eu-west-1, objectLock: ${objectLock} }\nevents: { bus: mail }`,
        ),
      );
    const cwd = await locked('{ days: 365 }');
    const objectLock = { mode: 'compliance', days: 365 };
    expect((await loadSettings(NOTHING, at(cwd))).store).toMatchObject({ objectLock });
    const { store } = await loadSettings({ ...NOTHING, bucket: 'two', lockDays: 7 }, at(cwd));
    expect(store).toMatchObject({ bucket: 'two', objectLock: { mode: 'compliance', days: 7 } });
    const said = await mailferry(['fetch'], { cwd: await locked('{ days: 0, mode: forever }') });
    expect(said.code).toBe(EXIT.usage);
    expect(said.stderr).toMatch(/objectLock\.days.*from 1 to 36500/);
    expect(said.stderr).toMatch(/objectLock\.mode.*compliance or governance/);
  });

  it('needs a region for AWS, of its own or of the environment', async () => {
    const cwd = await folderWith(
      MINIMAL_FILE.replace('{ folder: ./mail }', '{ bucket: one }\nevents: { bus: mail }'),
    );
    const said = await mailferry(['fetch'], { cwd });
    expect(said.code).toBe(EXIT.usage);
    expect(said.stderr).toContain('store.region');
    expect(said.stderr).toContain('events.region');
    // An empty one is one that is not set.
    expect(await mailferry(['fetch'], { cwd, env: { AWS_REGION: '' } })).toEqual(said);
    expect(await mailferry(['fetch'], { cwd, env: { AWS_REGION: 'eu west' } })).toMatchObject({
      ...{ code: EXIT.usage, stderr: expect.stringContaining('AWS_REGION is "eu west"') },
    });
    const settings = await loadSettings(NOTHING, at(cwd, { AWS_REGION: 'eu-west-1' }));
    expect(settings).toMatchObject({ store: { region: 'eu-west-1' }, events: { region: 'eu-west-1' } });
    expect(wire(settings, { env: {}, stdout: process.stdout }).store.place).toEqual({ bucket: 'one' });
  });

  it('needs none for a store that is not AWS', async () => {
    const store =
      '{ bucket: one, endpoint: "http://127.0.0.1:9000", pathStyle: true }\nevents: { file: e.ndjson }';
    const cwd = await folderWith(MINIMAL_FILE.replace('{ folder: ./mail }', store));
    expect((await loadSettings(NOTHING, at(cwd))).store).toHaveProperty('region');
  });

  it('cannot delete mail on the word of stdout', async () => {
    const cwd = await folderWith(`${MINIMAL_FILE}\n    delete: when-stored\nevents: { stdout: true }\n`);
    const said = await mailferry(['fetch'], { cwd });
    expect(said.code).toBe(EXIT.usage);
    expect(said.stderr).toContain('"support" deletes mail, and events on stdout prove nothing');
  });

  it('names its mailboxes to whoever asks for another', async () => {
    const said = await mailferry(['fetch', 'billing'], { cwd: await folderWith(MINIMAL_FILE) });
    expect(said.code).toBe(EXIT.usage);
    expect(said.stderr).toContain('has no mailbox "billing"; it has: support');
  });

  it('leaves out a mailbox that is not enabled, unless it is named', async () => {
    const cwd = await folderWith(`${MINIMAL_FILE}\n    enabled: false\n`);
    await expect(loadSettings(NOTHING, at(cwd))).rejects.toThrow('enabled: false');
    expect((await loadSettings({ ...NOTHING, ids: ['support'] }, at(cwd))).mailboxes).toHaveLength(1);
  });
});
