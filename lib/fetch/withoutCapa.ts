/**
 * Servers that fall silent, hang up or answer out of order on CAPA (RFC 2449), though they serve whoever does not ask:
 * remembered.
 */
import type { Head } from '../mailbox/state.ts';
import { type Capabilities, capabilities } from '../pop3/capabilities.ts';
import type { Pop3Client } from '../pop3/client.ts';
import { Pop3Error } from '../pop3/errors.ts';
import type { RunContext } from './runContext.ts';

/** How long CAPA is not asked: a line may break by accident, and without CAPA there is no pipelining. */
const WITHOUT_CAPA_MS = 24 * 3_600_000;

export function isWithoutCapa({ capaLostMs }: Head, nowMs: number): boolean {
  return capaLostMs !== undefined && nowMs - capaLostMs < WITHOUT_CAPA_MS;
}

/** What the server announces; nothing where it is not asked. */
export async function announced(client: Pop3Client, asks: boolean): Promise<Capabilities> {
  return asks ? client.capa() : capabilities(null);
}

const OF_THE_LINE: ReadonlySet<string> = new Set(['lost', 'broken']);

/** `isRefused`: CAPA was answered with -ERR, and a line that goes wrong before anything secret is sent does so behind it. */
export function isLostAtCapa(error: unknown, isRefused: boolean): error is Pop3Error {
  if (!(error instanceof Pop3Error) || error.code === 'E_POP3_ABORTED') return false;
  if (!OF_THE_LINE.has(error.kind)) return false;
  return error.phase === 'capa' || (isRefused && isBeforeSecret(error));
}

/** QUIRK: some hang up behind the -ERR, or end it with a dot as if it were a list. */
export function isBeforeSecret({ phase, command, unsent }: Pop3Error): boolean {
  return phase === 'sign-in' && (unsent || command === 'USER');
}

export async function noteCapaLost({ state, ports, tally }: RunContext, { message }: Error): Promise<void> {
  const nowMs = ports.clock.now();
  tally.note(`The line was lost as CAPA was asked, so that is not asked for a day. ${message}`);
  await state.commit((head) => ({ ...head, capaLostMs: nowMs }));
}
