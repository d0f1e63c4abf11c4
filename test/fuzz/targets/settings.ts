import assert from 'node:assert/strict';
import { MAILBOX_ID } from '../../../lib/mailbox/names.ts';
import {
  type Mailbox,
  parseMailboxesDocument,
  parseSettingsFile,
  SettingsError,
} from '../../../lib/mailbox/settings.ts';
import { WHAT_EACH_SHOWS } from '../../../lib/mailbox/signInSettings.ts';
import { checkPrototypes } from '../prototypes.ts';
import type { Target } from '../target.ts';

const MAILBOX = { id: 'support', host: 'pop.example.org', user: 'ada', password: 'env:A' };

const SEEDS: readonly unknown[] = [
  { v: 1, mailboxes: [MAILBOX] },
  {
    store: { folder: 'mail' },
    mailboxes: [MAILBOX, { ...MAILBOX, id: 'b', port: 110, delete: 'when-stored' }],
  },
  {
    store: { bucket: 'mail-bucket', region: 'r', endpoint: 'http://127.0.0.1:9', pathStyle: true },
    events: { bus: 'default', endpoint: 'https://e' },
    mailboxes: [{ ...MAILBOX, ca: 'file:ca.pem', headerSummary: false, attempts: 1, enabled: false }],
  },
  { store: { folder: 'mail' }, events: { stdout: true }, mailboxes: [] },
  { v: 1, mailboxes: [{ ...MAILBOX, user: 'ada\r\nDELE 1' }] },
  { v: 1, mailboxes: [MAILBOX, MAILBOX] },
];

/** Settings are accepted as they will be read again, or refused with words; never anything else. */
export const settings: Target = {
  name: 'settings',
  json: true,
  seeds: SEEDS.map((value) => Buffer.from(JSON.stringify(value))),
  words: [
    '"',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '__proto__',
    'constructor',
    'mailboxes',
    'id',
    'keep',
    '\\u0000',
    '1e9',
  ],
  run(bytes) {
    let value: unknown;
    try {
      value = JSON.parse(bytes.toString('utf8'));
    } catch {
      return;
    }
    for (const parse of [parseSettingsFile, parseMailboxesDocument]) {
      const before = JSON.stringify(value);
      const accepted = acceptedBy(() => parse(value, 'fuzz'));
      assert.equal(JSON.stringify(value), before, 'what was read was changed');
      if (accepted === null) continue;
      checkMailboxes(accepted.mailboxes);
      assert.deepEqual(parse(JSON.parse(JSON.stringify(accepted)), 'fuzz'), accepted);
    }
    checkPrototypes();
  },
};

/** What `parse` returns; null if it refused with words. */
export function acceptedBy<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    assert.ok(error.problems.length > 0 && error.problems.every((problem) => problem.length > 0));
    return null;
  }
}

export function checkMailboxes(mailboxes: readonly Mailbox[]): void {
  assert.equal(new Set(mailboxes.map(({ id }) => id)).size, mailboxes.length);
  for (const { id, user, password, port, signIn } of mailboxes) {
    assert.match(id, MAILBOX_ID);
    assert.doesNotMatch(user, /\p{Cc}/u);
    const { shows } = WHAT_EACH_SHOWS[signIn.mechanism];
    assert.equal(password !== undefined, shows === 'password');
    assert.equal(signIn.token !== undefined, shows === 'token');
    if (password !== undefined) assert.match(password, /^(env|file|secretsmanager):/);
    assert.ok(Number.isInteger(port) && port > 0 && port < 65_536);
  }
}
