import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  PLAINTEXT,
  parseMailboxesDocument,
  parseSettingsFile,
  SettingsError,
} from '../../lib/mailbox/settings.ts';

const smallest = {
  store: { folder: 'mail' },
  mailboxes: [{ id: 'support', host: 'pop.example.org', user: 'support', password: 'env:PASSWORD' }],
};

function problemsOf(value: unknown): readonly string[] {
  try {
    parseSettingsFile(value, 'mailferry.yaml');
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('settings', () => {
  it('need four values of a mailbox, and default to keeping all mail', () => {
    expect(parseSettingsFile(smallest, 'test').mailboxes[0]).toEqual({
      ...smallest.mailboxes[0],
      tls: 'implicit',
      port: 995,
      signIn: { mechanism: 'user-pass', initialResponse: false },
      delete: 'keep',
      headerSummary: true,
      attempts: 3,
      pipelining: true,
      start: 'all',
      every: '5m',
      enabled: true,
    });
  });

  it('take an interval from a minute to a day, and tell of any other together with all else that is wrong', () => {
    const every = (text: unknown) => [{ ...smallest.mailboxes[0], every: text }];
    for (const good of ['1m', '90m', '1440m', '2h', '24h', '1d'])
      expect(parseSettingsFile({ ...smallest, mailboxes: every(good) }, 'test').mailboxes[0]?.every).toBe(
        good,
      );
    for (const wrong of ['0m', '1441m', '25h', '2d', '5', '5 m', 'm', '1.5h', '-5m', '30s', '', 5, null]) {
      const problems = problemsOf({ ...smallest, mailboxes: every(wrong), colour: 'red' });
      expect(problems).toContain(
        'mailboxes[0] ("support").every: must be a time from 1m to 1d, such as 5m, 2h or 1d',
      );
      expect(problems).toHaveLength(2);
    }
  });

  it.each([
    ['pasword', 'password'],
    ['paswsord', 'password'],
    ['username', 'user'],
    ['hostname', 'host'],
    ['Delete', 'delete'],
    ['sizelimit', 'sizeLimit'],
  ])('ask at the unknown key %s whether %s was meant', (typed, meant) => {
    const mailboxes = [{ ...smallest.mailboxes[0], [typed]: 'x' }];
    expect(problemsOf({ ...smallest, mailboxes })).toEqual([
      `mailboxes[0] ("support"): unknown key "${typed}"; did you mean "${meant}"?`,
    ]);
  });

  it('tell of a form that was meant what is wrong with it, and else which forms there are', () => {
    const told = (change: object) => problemsOf({ ...smallest, ...change });
    expect(told({ store: { bucket: 'Mail_Archive', endpoint: 'localhost:9000', regoin: 'x' } })).toEqual([
      'store.bucket: must be a bucket name',
      'store.endpoint: must be a URL that begins with https:// or http://, with neither user, password, query nor fragment',
      'store: unknown key "regoin"; did you mean "region"?',
    ]);
    const place = {
      bucket: 'mail',
      endpoint: 'https://AKFORTEST:hunter2@s3.example.org/?x=1',
      region: 'eu west',
    };
    const wrong = told({ store: place });
    expect(wrong.map((line) => line.split(':')[0])).toEqual(['store.region', 'store.endpoint']);
    expect(wrong.join()).not.toContain('hunter2');
    for (const good of ['http://[::1]:9000', 'https://s3.example.org/gateway/'])
      expect(told({ store: { bucket: 'mail', endpoint: good, region: 'auto' } })).toEqual([]);
    for (const folder of ['~', '~/mail', '$HOME/mail', '$HOME'])
      expect(told({ store: { folder } })).toEqual([
        expect.stringMatching(/^store\.folder: must be written out/),
      ]);
    expect(told({ store: { folder: 's3://mail' }, events: { file: '-' } })).toEqual([
      'store.folder: must be a path, and no URL; a bucket is { bucket: NAME }',
      'events.file: must be a file; for stdout: { stdout: true }',
    ]);
    for (const folder of ['mail~', './~/mail', 'c$/mail', 'a:b'])
      expect(told({ store: { folder } })).toEqual([]);
    expect(told({ store: { foler: 'mail' } })).toEqual([
      'store: must be { folder } or { bucket, region?, endpoint?, pathStyle?, objectLock? }',
    ]);
    expect(told({ events: { stdout: 'yes' } })).toEqual(['events.stdout: must be true']);
    const deletes = (choice: unknown) =>
      told({ mailboxes: [{ ...smallest.mailboxes[0], delete: choice }] }).map((line) => line.split('.')[1]);
    expect(deletes({ daysAfterStored: 0 })).toEqual(['delete']);
    expect(deletes({ days: 3 })).toEqual([
      'delete: must be keep, when-stored or { daysAfterStored: 1 to 3650 }',
    ]);
  });

  it('say in plain words that a value is missing or of another kind, and never show it', () => {
    const mailboxes = [
      { id: 7, user: 5, password: 123456, enabled: 'yes', signIn: 3 },
      { id: 'a', host: 'pop.example.org', password: 'env:A' },
      'hunter2',
    ];
    const problems = problemsOf({ ...smallest, mailboxes });
    for (const line of [
      'mailboxes[0].id: must be text; a number or a date is text between quotes',
      'mailboxes[0].user: must be text; a number or a date is text between quotes',
      'mailboxes[0].password: must be a reference such as env:NAME, file:PATH or secretsmanager:ID#KEY, never the secret itself',
      'mailboxes[0].enabled: must be true or false, without quotes',
      'mailboxes[0].signIn: must be settings: lines of the form "key: value"',
      'mailboxes[1] ("a").user: is needed',
      'mailboxes[2]: must be settings: lines of the form "key: value"',
    ])
      expect(problems).toContain(line);
    expect(problems.join('\n')).not.toMatch(/123456|hunter2|Invalid input/);
  });

  it('take a host alone, and say what else stands there', () => {
    const told = (host: string) =>
      problemsOf({ ...smallest, mailboxes: [{ ...smallest.mailboxes[0], host }] })[0] ?? null;
    for (const good of [
      'pop.example.org',
      'pop.example.org.',
      'localhost',
      'pop_1.x',
      '127.0.0.1',
      '::1',
      '2001:db8::1',
    ])
      expect(told(good)).toBe(null);
    expect(told('pop.example.org:995')).toContain('set the port by "port"');
    expect(told('pop3s://pop.example.org')).toContain('the host name alone');
    expect(told('[::1]:995')).toContain('without brackets');
    expect(told('münchen.example')).toContain('xn--');
    for (const wrong of [
      '',
      ' ',
      'a..b',
      '-a',
      'a-',
      '.',
      'a b',
      'me@x',
      '2001:db8::zz',
      'x'.repeat(64),
      'a/b',
    ])
      expect(told(wrong)).toMatch(/must be (a host name|the host name)/);
  });

  it('keep to four connections at once to a host, or as many as they say', () => {
    expect(parseSettingsFile(smallest, 'test').connectionsPerHost).toBe(4);
    expect(parseSettingsFile({ ...smallest, connectionsPerHost: 1 }, 'test').connectionsPerHost).toBe(1);
    const { mailboxes } = smallest;
    expect(
      parseMailboxesDocument({ v: 1, connectionsPerHost: 9, mailboxes }, 'test').connectionsPerHost,
    ).toBe(9);
    for (const wrong of [0, 101, 1.5, '4', null])
      expect(problemsOf({ ...smallest, connectionsPerHost: wrong }).join()).toContain('connectionsPerHost');
  });

  it('tell all problems at once, each by its path and the id of its mailbox', () => {
    const problems = problemsOf({
      store: { folder: '', bucket: 'x' },
      evnts: {},
      mailboxes: [
        { id: 'Support', host: 'pop.example.org', user: 'a\r\nDELE 1', password: 'hunter2', portt: 1 },
        { id: 'two', host: '', user: 'b', password: 'env:B', port: 0, delete: 'always', attempts: 99 },
        { id: 'two', host: 'h', user: 'b', password: 'env:B' },
      ],
    });
    const text = problems.join('\n');
    for (const part of [
      'store',
      '"evnts"',
      '"portt"',
      '("Support").id',
      '.user',
      '.password',
      '.host',
      '.port',
      '.delete',
      '.attempts',
      'used twice',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain('hunter2');
  });

  it('refuse a secret in place of a reference to one', () => {
    expect(
      problemsOf({ ...smallest, mailboxes: [{ ...smallest.mailboxes[0], password: 'hunter2' }] }).join(),
    ).toContain('never the secret itself');
  });

  it.each([
    ['implicit', 995],
    ['stls', 110],
    [PLAINTEXT, 110],
  ])('take the port that goes with tls: %s, unless told another', (tls, port) => {
    const [mailbox] = smallest.mailboxes;
    const portOf = (given: object) =>
      parseSettingsFile({ ...smallest, mailboxes: [{ ...mailbox, tls, ...given }] }, 'test').mailboxes[0]
        ?.port;
    expect(portOf({})).toBe(port);
    expect(portOf({ port: 1110 })).toBe(1110);
  });

  it.each(['none', 'off', 'no', false, null, 'plaintext', 'starttls', 'STLS', ''])(
    'do without TLS for nobody who writes %j, and say what to write and what it means',
    (tls) => {
      const text = problemsOf({ ...smallest, mailboxes: [{ ...smallest.mailboxes[0], tls }] }).join();
      expect(text).toContain('("support").tls');
      expect(text).toContain('implicit, stls');
      expect(text).toContain('may read the password and the mail');
      expect(text).toContain(PLAINTEXT);
    },
  );

  it.each([null, 7, 'x', [], { mailboxes: [] }])('refuse %j with words', (value) => {
    expect(problemsOf(value).length).toBeGreaterThan(0);
  });

  it('never throw anything but SettingsError, and never show what stands in for a reference', () => {
    fc.assert(
      fc.property(fc.anything(), fc.string({ minLength: 12 }), (anything, secret) => {
        const value = { store: anything, mailboxes: [{ id: anything, password: `#${secret}` }] };
        const text = problemsOf(value).join('\n');
        expect(text.length).toBeGreaterThan(0);
        expect(text.includes(`#${secret}`)).toBe(false);
      }),
    );
  });

  it('come back as they were from the document in the bucket', () => {
    const id = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,62}$/);
    const mailbox = fc.record({
      id,
      host: fc.domain(),
      tls: fc.constantFrom('implicit' as const, 'stls' as const, PLAINTEXT),
      port: fc.integer({ min: 1, max: 65535 }),
      user: fc.emailAddress(),
      password: fc.constantFrom('env:A', 'file:/run/secrets/a', 'secretsmanager:mail#a'),
      signIn: fc.record({
        mechanism: fc.constantFrom('user-pass' as const, 'login' as const, 'cram-md5' as const),
        initialResponse: fc.constant(false),
      }),
      delete: fc.constantFrom('keep' as const, 'when-stored' as const, { daysAfterStored: 30 }),
      sizes: fc.constantFrom('exact' as const, 'estimated' as const),
      start: fc.constantFrom('all' as const, 'new-mail-only' as const, { newest: 100 }),
      sizeLimit: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      headerSummary: fc.boolean(),
      attempts: fc.integer({ min: 1, max: 20 }),
      enabled: fc.boolean(),
      pipelining: fc.boolean(),
      every: fc.constantFrom('1m', '90m', '1d'),
    });
    fc.assert(
      fc.property(fc.uniqueArray(mailbox, { minLength: 1, selector: (one) => one.id }), (mailboxes) => {
        const document = parseMailboxesDocument({ v: 1, mailboxes }, 'test');
        expect(parseMailboxesDocument(JSON.parse(JSON.stringify(document)), 'test')).toEqual(document);
        expect(document.mailboxes).toEqual(mailboxes);
      }),
    );
  });
});
