import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext, type SecureVersion, TLSSocket } from 'node:tls';
import { createAuthority, issue, type Pair } from './certificates.ts';
import type { Conversation, Sink } from './scriptedConversation.ts';
import type { Ending } from './scriptedFaults.ts';
import { type ScriptedState, type ScriptedStateOptions, scriptedState } from './scriptedState.ts';

export type { Ending, Fault } from './scriptedFaults.ts';
export { type Behaviour, bytesOf, generatedMail, mail, type ScriptedMessage } from './scriptedMailbox.ts';

export interface ScriptedTls extends Pair {
  /** What a client must trust. */
  readonly ca: string;
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
  readonly ciphers?: string;
}

export interface ScriptedOptions extends ScriptedStateOptions {
  /** Default: a certificate for localhost by an authority made for this process; false: no TLS. */
  readonly tls?: ScriptedTls | false | undefined;
  /** The greeting is in the clear, and TLS begins with STLS (RFC 2595). */
  readonly stls?: boolean;
}

export interface ScriptedServer extends ScriptedState {
  readonly host: 'localhost';
  readonly port: number;
  /** PEM; '' without TLS. */
  readonly ca: string;
  /** Drops all connections and stops listening. */
  close(): Promise<void>;
}

let localhost: Promise<ScriptedTls> | undefined;

/** Made once per process: key generation is what takes time. */
function localhostTls(): Promise<ScriptedTls> {
  localhost ??= createAuthority().then(async (authority) => ({
    ...(await issue(authority, { names: ['localhost'], ips: ['127.0.0.1'] })),
    ca: authority.cert,
  }));
  return localhost;
}

/** A POP3 server on 127.0.0.1 and a free port, honest but for the faults it is given. */
export async function startScripted(options: ScriptedOptions = {}): Promise<ScriptedServer> {
  const tls = options.tls ?? (await localhostTls());
  const state = scriptedState(options);
  const sockets = new Set<Socket>();

  const serve = (raw: Socket, socket: Socket, under?: Conversation) => {
    const sink = socketSink(raw, socket);
    const inClear = options.stls && tls !== false && under === undefined;
    if (inClear) {
      sink.startTls = (come) => {
        raw.removeAllListeners('data').removeAllListeners('end').pause();
        if (come.length > 0) raw.unshift(come);
        handshake(raw, tls, (_, secured) => serve(raw, secured, conversation));
      };
    }
    const conversation: Conversation = state.converse(sink, (ms) => sleep(ms), under);
    socket.on('data', (bytes: Buffer) => conversation.receive(bytes));
    socket.on('end', () => void conversation.ended().then(() => raw.destroy()));
    raw.on('close', () => conversation.dropped());
  };

  const server = createServer({ noDelay: true, allowHalfOpen: true }, (raw) => {
    state.log.connections++;
    sockets.add(raw);
    raw.on('close', () => sockets.delete(raw));
    raw.on('error', () => raw.destroy());
    if (tls === false || options.stls) serve(raw, raw);
    else handshake(raw, tls, serve);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: 'localhost',
    port: (server.address() as AddressInfo).port,
    ca: tls === false ? '' : tls.ca,
    ...state,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const raw of sockets) raw.destroy();
      await closed;
    },
  };
}

function handshake(raw: Socket, tls: ScriptedTls, serve: (raw: Socket, socket: Socket) => void): void {
  const { key, cert, minVersion, maxVersion, ciphers } = tls;
  const secureContext = createSecureContext({
    key,
    cert,
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...(ciphers === undefined ? {} : { ciphers }),
  });
  const socket = new TLSSocket(raw, { isServer: true, secureContext });
  socket.on('error', () => raw.destroy());
  socket.on('close', () => raw.destroy());
  socket.once('secure', () => serve(raw, socket));
}

function socketSink(raw: Socket, socket: Socket): Sink {
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        // The callback comes when the bytes are handed over, which keeps one write to one segment or record.
        socket.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    // One turn of the event loop: a client in this process has polled its socket by then.
    settle: () => new Promise((resolve) => setImmediate(resolve)),
    end: (ending: Ending) => {
      if (ending === 'fin') socket.end();
      else if (ending === 'rst') raw.resetAndDestroy();
      else if (ending === 'fin without close_notify') raw.end();
    },
  };
}
