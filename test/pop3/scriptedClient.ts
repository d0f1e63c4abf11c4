import { connect } from 'node:net';
import { Pop3Client, type Pop3Options } from '../../lib/pop3/client.ts';
import { dialTls } from '../../lib/pop3/dial.ts';
import { overSocket } from '../../lib/pop3/socket.ts';
import type { Transport } from '../../lib/pop3/transport.ts';
import { mail, type ScriptedOptions, type ScriptedServer, startScripted } from '../servers/scripted.ts';
import { realTimer } from './realTimer.ts';

/** No test here waits for time to pass; this only ends one that hangs. */
const HANG_MS = 30_000;

export const dial = dialTls({ timer: realTimer });

/** A line to the server: TLS where it has a certificate, else plain TCP. */
export function lineTo(server: ScriptedServer): Promise<Transport> {
  if (server.ca !== '') return dial(server, new AbortController().signal);
  const socket = connect({ host: '127.0.0.1', port: server.port, noDelay: true });
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(overSocket(socket)));
    socket.once('error', reject);
  });
}

export async function openTo(
  server: ScriptedServer,
  options: Partial<Pop3Options> = {},
): Promise<Pop3Client> {
  const deadlineMs = Date.now() + HANG_MS;
  return Pop3Client.open(await lineTo(server), { timer: realTimer, deadlineMs, ...options });
}

export async function signedInTo(
  server: ScriptedServer,
  options: Partial<Pop3Options> = {},
): Promise<Pop3Client> {
  const client = await openTo(server, options);
  await client.signIn(server.user, server.password);
  return client;
}

/** A mailbox whose messages are told apart at a glance. */
export const THREE = [mail('one', 'a\r\n'), mail('two', 'b\r\n'), mail('three', 'c\r\n')];

/** Starts a server, without TLS unless asked for, and stops it whatever happens. */
export async function withServer(
  options: ScriptedOptions,
  use: (server: ScriptedServer) => Promise<void>,
): Promise<void> {
  const server = await startScripted({ tls: false, messages: THREE, ...options });
  try {
    await use(server);
  } finally {
    await server.close();
  }
}
