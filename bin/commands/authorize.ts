/**
 * What a person does once for a mailbox whose access tokens come by a refresh token: allows it, in a browser on any
 * machine, by a code that is shown here (RFC 8628). The refresh token is put where the settings refer to.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { advised } from '../../lib/fetch/advised.ts';
import type { Trouble } from '../../lib/fetch/report.ts';
import { approval, type DeviceCode, deviceCode } from '../../lib/secrets/deviceCode.ts';
import { type RefreshToken, STILL_TO_COME } from '../../lib/secrets/oauthRefresh.ts';
import {
  mustStandAlone,
  readLine,
  type Secret,
  SecretError,
  type SecretSaver,
  type Secrets,
  type TokenSource,
} from '../../lib/secrets/port.ts';
import { type Post, tokenRequests } from '../../lib/secrets/tokenRequests.ts';
import { EXIT, type ExitCode, UsageError } from '../exitCodes.ts';
import type { Terminal } from '../terminal.ts';
import { TOKEN_REQUESTS } from '../wiring.ts';
import { durationInWords } from '../words.ts';
import type { Call } from './command.ts';

export interface Authorizing {
  readonly mailbox: string;
  /** Where its access tokens come from; undefined: it signs in by password. */
  readonly source: TokenSource | undefined;
  readonly secrets: Secrets;
  readonly saver: SecretSaver;
  readonly post: Post;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Rejects once the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** What failed in which mailbox, and what to do. */
  readonly troubleOf: (error: SecretError) => Pick<Trouble, 'kind' | 'code' | 'message'>;
  readonly terminal: Terminal;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** One at a time: nobody tells by a code which of several mailboxes it is for. */
export function authorizeCommand({ mailboxes, ports, terminal, json, signal }: Call): Promise<ExitCode> {
  const [mailbox, ...others] = mailboxes;
  if (mailbox === undefined || others.length > 0)
    throw new UsageError('One mailbox is allowed at a time: mailferry authorize ID.');
  return authorize({
    mailbox: mailbox.id,
    source: mailbox.signIn.token,
    ...{ secrets: ports.secrets, saver: ports.saver, post: tokenRequests(TOKEN_REQUESTS) },
    ...{ now: ports.clock.now, sleep: (ms, stop) => wait(ms, undefined, { signal: stop }) },
    troubleOf: (error) => advised(error, mailbox, { nowMs: ports.clock.now(), token: null, chain: [] }),
    ...{ terminal, json, signal },
  });
}

/** Throws UsageError where the mailbox is not one for it. */
export async function authorize(given: Authorizing): Promise<ExitCode> {
  const { mailbox, terminal, json, signal } = given;
  const source = byRefreshToken(given);
  try {
    await allowed(given, source);
    if (json) terminal.json({ mailbox, step: 'saved', reference: source.refreshToken });
    else terminal.out(`${mailbox}: allowed; the refresh token is saved in ${source.refreshToken}`);
    return EXIT.done;
  } catch (error) {
    if (signal.aborted) {
      if (!json) terminal.out(`${mailbox}: interrupted; nothing was changed`);
      return EXIT.interrupted;
    }
    if (!(error instanceof SecretError)) throw error;
    const { code, kind, message } = given.troubleOf(error);
    if (json) terminal.json({ mailbox, error: { code, kind, message } });
    else terminal.out(`✗ ${message} (${code})`);
    return kind === 'person' ? EXIT.person : EXIT.later;
  }
}

function byRefreshToken({ mailbox, source }: Authorizing): RefreshToken {
  if (source === undefined || !('grant' in source) || source.grant !== 'refresh-token') {
    throw new UsageError(
      `${mailbox}: nobody needs to allow anything, since its settings have no token with "grant: refresh-token".`,
    );
  }
  if (source.deviceEndpoint !== undefined) return source;
  throw new UsageError(`${mailbox}: its token has no deviceEndpoint. Add it, as the provider documents it.`);
}

/** All that may be in the way is looked for before a person is asked for anything. */
async function allowed(given: Authorizing, source: RefreshToken): Promise<void> {
  const { secrets, saver, post, now, signal } = given;
  const { refreshToken, clientSecret } = source;
  await saver.prove(refreshToken);
  const standing = await secrets.read(refreshToken, true).catch(unlessMissing);
  // Without its key a reference leads to the secrets of all accounts, which the new one would take the place of.
  if (standing !== undefined) mustStandAlone(refreshToken, standing, 'refresh token');
  const secret =
    clientSecret === undefined
      ? undefined
      : await readLine(secrets, clientSecret, { fresh: true, what: 'client secret' });
  const ports = { post, now, signal, sleep: (ms: number) => given.sleep(ms, signal) };
  const code = await deviceCode(source, secret, ports);
  show(given, code);
  await saver.save(refreshToken, await approval(source, secret, code, ports), null);
}

function unlessMissing(error: unknown): Secret | undefined {
  if (error instanceof SecretError && STILL_TO_COME.has(error.code)) return undefined;
  throw error;
}

function show({ mailbox, terminal, json, now }: Authorizing, code: DeviceCode): void {
  const { userCode, verificationUri, verificationUriComplete, expiresAtMs } = code;
  if (json) {
    terminal.json({
      mailbox,
      step: 'code',
      verificationUri,
      verificationUriComplete: verificationUriComplete ?? null,
      userCode,
      expiresAt: new Date(expiresAtMs).toISOString(),
    });
    return;
  }
  terminal.out(`${mailbox}: on any machine, sign in as the mailbox's user at

    ${verificationUri}

and enter this code, which is good for ${durationInWords(expiresAtMs - now())}:

    ${userCode}
`);
}
