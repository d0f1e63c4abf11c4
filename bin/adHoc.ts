/** A mailbox of the command line: checked without a settings file, a store or events. */
import { join } from 'node:path';
import { parseSettingsFile } from '../lib/mailbox/settings.ts';
import { Secret, SecretError, type Secrets } from '../lib/secrets/port.ts';
import type { Settings } from './settings.ts';
import type { Host } from './terminal.ts';

export interface AdHoc {
  readonly host: string;
  readonly user: string;
  readonly port: string | undefined;
  readonly tls: string | undefined;
  /** A reference: a password on the command line could be read by everybody on the machine, and stays in its history. */
  readonly passwordFrom: string | undefined;
  /** Path of a file. */
  readonly ca: string | undefined;
}

/** Stands for what a person is asked for; no variable has such a name. */
const ASKED = 'env:(asked)';

/** Throws SettingsError with every problem. Its store and events are never touched. */
export function adHocSettings({ host, user, port, tls, passwordFrom, ca }: AdHoc, cwd: string): Settings {
  const mailbox = {
    ...{ id: 'check', host, user, password: passwordFrom ?? ASKED },
    ...(port === undefined ? {} : { port: /^\d+$/.test(port) ? Number(port) : port }),
    ...(tls === undefined ? {} : { tls }),
    ...(ca === undefined ? {} : { ca: `file:${ca}` }),
  };
  const store = { folder: join(cwd, 'mail') };
  const { mailboxes, connectionsPerHost } = parseSettingsFile(
    { store, mailboxes: [mailbox] },
    'the command line',
  );
  const events = { file: join(store.folder, 'events.ndjson') };
  return { store, events, mailboxes, connectionsPerHost, disabled: [], base: cwd };
}

/** Asks now, before there is a server that waits: the password, where no reference names it. */
export async function adHocSecrets(
  { user, host, passwordFrom }: AdHoc,
  { ask }: Pick<Host, 'ask'>,
  others: Secrets,
): Promise<Secrets> {
  if (passwordFrom !== undefined) return others;
  const password = (await ask?.(`Password of ${user} on ${host}: `)) ?? null;
  return {
    async read(reference, fresh) {
      if (reference !== ASKED) return others.read(reference, fresh);
      if (password === null || password === '') throw notGiven();
      return new Secret(password);
    },
  };
}

function notGiven(): SecretError {
  return new SecretError(
    'No password was given, so the check ends before the sign-in. Name it with --password-from env:NAME or file:PATH, or run this on a terminal, which asks for it.',
    { kind: 'person', code: 'E_SECRET_NOT_GIVEN', reference: '(none)' },
  );
}
