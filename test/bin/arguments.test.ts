import { describe, expect, it } from 'vitest';
import { EXIT, worst } from '../../bin/exitCodes.ts';
import { mailferry, startMailferry, workFolder } from './harness.ts';

describe('the command line', () => {
  it.each([
    [
      [],
      'A command is missing: fetch, watch, plan, check, authorize, status, parse, announce, verify, export, retry, release, mailboxes, probe.',
    ],
    [['fech'], 'There is no command "fech"; did you mean "fetch"?'],
    [['Status'], 'There is no command "Status"; did you mean "status"?'],
    [['upload'], 'There is no command "upload"; there are: fetch, '],
    [['fetch', '--forse'], "Unknown option '--forse'."],
    [['fetch', '--jason'], `Unknown option '--jason'; did you mean "--json"?`],
    [['fetch', '--timelimit=3'], `Unknown option '--timelimit'; did you mean "--time-limit"?`],
    [['fetch', '--folder', ''], '--folder is empty'],
    [['fetch', '--config='], '--config is empty'],
    [['export', '--mailbox', 'a', '--mailbox', '', '--mbox', 'b'], '--mailbox is empty'],
    [['fetch', ''], 'An argument is empty'],
    [['fetch', '--config'], "'-c, --config <value>' argument missing"],
    [['fetch', '--json=yes'], "'--json' does not take an argument"],
    [['fetch', '--time-limit', '0'], '--time-limit must be whole seconds'],
    [['fetch', '--time-limit', '1e3'], '--time-limit must be whole seconds'],
    [['fetch', '--time-limit', '90000'], '--time-limit must be whole seconds, 1 to 86400, not "90000"'],
    [['fetch', '--folder', 'a', '--bucket', 'b'], '--folder and --bucket exclude each other'],
  ])('refuses %j in words, with code 2', async (argv, words) => {
    const said = await mailferry(argv, { cwd: await workFolder() });
    expect(said.code).toBe(EXIT.usage);
    expect(said.stderr).toContain(words);
    expect(said.stderr).toContain('See: mailferry --help');
    expect(said.stdout).toBe('');
  });

  it.each([
    [['status', '--bucket', 'b1'], 'store.bucket: must be a bucket name'],
    [['status', '--bucket', 'mail', '--endpoint', '127.0.0.1:9000'], 'store.endpoint: must be a URL'],
    [['probe', '--bucket', 'mail', '--endpoint', 'localhost:9000'], 'store.endpoint: must be a URL'],
    [['fetch', '--bucket', 'mail', '--bus', 'a b'], 'events.bus: must be the name of an event bus'],
  ])('asks no store that %j cannot mean', async (argv, words) => {
    const said = await mailferry(argv, { cwd: await workFolder(), env: { AWS_REGION: 'eu-west-1' } });
    expect(said.code).toBe(EXIT.usage);
    expect(said.stderr).toContain(words);
  });

  it.each([['--help'], ['-h'], ['help']])('explains itself on %s', async (option) => {
    const { code, stdout, stderr } = await mailferry([option], { cwd: '/' });
    expect(code).toBe(EXIT.done);
    expect(stderr).toBe('');
    for (const word of [
      'fetch',
      'plan',
      'check',
      'status',
      '--config',
      '--time-limit',
      'env:SUPPORT_PASSWORD',
    ]) {
      expect(stdout).toContain(word);
    }
    for (const exitCode of Object.values(EXIT)) expect(stdout).toMatch(new RegExp(`^  ${exitCode}\\b`, 'm'));
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(110);
  });

  it.each([
    'fetch',
    'watch',
    'plan',
    'check',
    'authorize',
    'status',
    'parse',
    'announce',
    'verify',
    'export',
    'mailboxes',
    'probe',
  ])('explains %s with examples', async (command) => {
    const { code, stdout } = await mailferry([command, '--help'], { cwd: '/' });
    expect(code).toBe(EXIT.done);
    expect(stdout).toMatch(new RegExp(`^mailferry ${command} (\\[ID …\\]|ID|apply FILE|\\[options\\])`));
    expect(stdout).toMatch(new RegExp(`Examples:\n  mailferry ${command}`));
    expect((await mailferry(['help', command], { cwd: '/' })).stdout).toBe(stdout);
  });

  it('tells its version, as a process too', async () => {
    const child = await startMailferry(['--version'], { cwd: '/' }).ended;
    expect(child).toMatchObject({ code: 0, stderr: '' });
    expect(child.stdout).toMatch(/^mailferry \d+\.\d+\.\d+\n$/);
  });
});

describe('the exit code', () => {
  it('is the worst of all mailboxes', () => {
    expect(worst([])).toBe(EXIT.done);
    expect(worst([EXIT.done, EXIT.messages, EXIT.done])).toBe(EXIT.messages);
    expect(worst([EXIT.later, EXIT.messages])).toBe(EXIT.later);
    expect(worst([EXIT.person, EXIT.later])).toBe(EXIT.person);
    expect(worst([EXIT.person, EXIT.unexpected, EXIT.done])).toBe(EXIT.unexpected);
  });
});
