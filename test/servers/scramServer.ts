/** A POP3 server over TLS with an empty mailbox that takes SCRAM alone, and checks what it is bound to by its own end of the line. */
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { createServer, type SecureVersion, type TLSSocket } from 'node:tls';
import type { Pair } from './certificates.ts';
import { scramVerified } from './scramVerified.ts';

export interface ScramServerOptions extends Pair {
  readonly password: string;
  readonly maxVersion?: SecureVersion;
  /** The mechanisms that CAPA shows; null: no line of SASL. What it takes are all four. */
  readonly announced: readonly string[] | null;
  /** The hash of its own certificate's signature, for tls-server-end-point. */
  readonly endPointHash?: 'sha256' | 'sha384' | 'sha512';
}

export interface ScramServer {
  readonly port: number;
  /** Every line that came, in order. */
  readonly heard: readonly string[];
  stop(): Promise<void>;
}

export async function startScramServer(options: ScramServerOptions): Promise<ScramServer> {
  const { cert, key, maxVersion } = options;
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(
    { cert, key, ...(maxVersion === undefined ? {} : { maxVersion }) },
    (socket) => {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      void converse(socket, heard, options).catch(() => socket.destroy());
    },
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    heard,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}

async function converse(socket: TLSSocket, heard: string[], options: ScramServerOptions): Promise<void> {
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const say = (line: string) => void socket.write(`${line}\r\n`);
  const next = async () => {
    const { value = '' } = await lines.next();
    heard.push(value);
    return value;
  };
  say('+OK ready');
  for (let line = await next(); line !== ''; line = await next()) {
    const [verb, mechanism = '', initial = ''] = line.split(' ');
    if (verb === 'CAPA') say(['+OK', 'UIDL', ...saslLine(options.announced), '.'].join('\r\n'));
    else if (verb === 'AUTH') say(await authenticated(socket, { mechanism, initial, say, next }, options));
    else if (verb === 'UIDL' || verb === 'LIST') say('+OK\r\n.');
    else say('+OK');
  }
}

function saslLine(announced: readonly string[] | null): readonly string[] {
  return announced === null ? [] : [`SASL ${announced.join(' ')}`];
}

interface Asked {
  readonly mechanism: string;
  readonly initial: string;
  say(line: string): void;
  next(): Promise<string>;
}

/** RFC 5802 sections 5 and 6. */
async function authenticated(
  socket: TLSSocket,
  { mechanism, initial, say, next }: Asked,
  options: ScramServerOptions,
): Promise<string> {
  const text = (line: string) => Buffer.from(line, 'base64').toString();
  const challenge = (words: string) => say(`+ ${Buffer.from(words).toString('base64')}`);
  const refused = async (why: string) => {
    challenge(`e=${why}`);
    await next();
    return '-ERR [AUTH] no';
  };
  const first = text(initial);
  const [flag = ''] = first.split(',');
  const plus = mechanism.endsWith('-PLUS');
  // It does have -PLUS: whoever thinks otherwise was told so by somebody in between.
  if (flag === 'y') return refused('server-does-support-channel-binding');
  if (plus !== flag.startsWith('p=')) return refused('other-error');
  const nonce = /,r=([^,]*)/.exec(first)?.[1] ?? '';
  const serverFirst = `r=${nonce}${randomBytes(9).toString('hex')},s=${randomBytes(12).toString('base64')},i=4096`;
  challenge(serverFirst);
  const final = text(await next());
  const digest = mechanism.startsWith('SCRAM-SHA-256') ? 'sha256' : 'sha1';
  const { isRight, channel, verifier } = scramVerified({ digest }, options.password, {
    first,
    serverFirst,
    final,
  });
  const bound = plus ? boundTo(socket, flag.slice(2), options) : Buffer.alloc(0);
  const expected = Buffer.concat([Buffer.from(`${flag},,`), bound]);
  if (!channel.equals(expected)) return refused('channel-bindings-dont-match');
  if (!isRight) return refused('invalid-proof');
  challenge(verifier);
  await next();
  return '+OK';
}

function boundTo(
  socket: TLSSocket,
  type: string,
  { cert, endPointHash = 'sha256' }: ScramServerOptions,
): Buffer {
  if (type === 'tls-exporter')
    return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
  return createHash(endPointHash).update(new X509Certificate(cert).raw).digest();
}
