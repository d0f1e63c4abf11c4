/**
 * Between a process and its POP3 server: TLS on both sides, its own certificate towards the process, so that what
 * passes can be read, held up and counted.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { createAuthority, issue } from '../servers/certificates.ts';
import type { Trapped } from './trap.ts';

export interface Pop3Gate extends Trapped {
  readonly port: number;
  /** PEM, to be trusted by the process. */
  readonly ca: string;
  /** Verbs that came, in order, over all connections. */
  readonly verbs: string[];
  stop(): Promise<void>;
}

/** Where "RETR body" is, in octets of the reply: within each message of the trials. */
const BODY_BYTES = 600;

const END = '\r\n.\r\n';

/**
 * Moments: "<VERB> before"; "<VERB> answered" (the server has answered, and the process does not know yet);
 * "RETR body" (part of the message has arrived); "RETR whole" (all of the reply has arrived). Commands
 * that come together go to the server one after the other, each once the one before is answered, so that each moment is
 * one message's.
 */
export async function startPop3Gate(target: {
  readonly port: number;
  readonly ca: string;
}): Promise<Pop3Gate> {
  const authority = await createAuthority();
  const pair = await issue(authority, { names: ['localhost'], ips: ['127.0.0.1'] });
  const sockets = new Set<TLSSocket>();
  const server = createServer({ key: pair.key, cert: pair.cert, noDelay: true }, (near) => {
    const far = connect({ ...target, host: '127.0.0.1', servername: 'localhost' });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    const line: Line = {
      near,
      far,
      verb: 'greeting',
      isListing: false,
      bytes: 0,
      isError: false,
      tail: '',
      answered: null,
    };
    // A line that breaks on one side is over on both; that is no failure of the gate's.
    for (const pump of [commands, replies]) pump(gate, line).catch(() => drop(line));
  });
  server.on('tlsClientError', () => {});
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const gate: Pop3Gate = {
    trap: null,
    verbs: [],
    port: (server.address() as AddressInfo).port,
    ca: authority.cert,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
  return gate;
}

interface Line {
  readonly near: TLSSocket;
  readonly far: TLSSocket;
  verb: string;
  /** Without an argument: LIST and UIDL then have an answer of many lines. */
  isListing: boolean;
  /** Of the answer to `verb` so far. */
  bytes: number;
  isError: boolean;
  /** The last bytes of the answer, which may come in two pieces. */
  tail: string;
  /** Called when the answer has come whole. */
  answered: (() => void) | null;
}

/** Whether this is the end of an answer: nothing else is asked for meanwhile, so nothing is behind it. */
function isWhole({ verb, isListing, isError, tail }: Line): boolean {
  const hasBody = ['RETR', 'TOP', 'CAPA'].includes(verb) || (isListing && ['LIST', 'UIDL'].includes(verb));
  const end = hasBody && !isError ? END : '\r\n';
  return tail.endsWith(end);
}

async function commands(gate: Pop3Gate, line: Line): Promise<void> {
  let rest = '';
  for await (const chunk of line.near as AsyncIterable<Buffer>) {
    const lines = (rest + chunk.toString('latin1')).split('\r\n');
    rest = lines.pop() ?? '';
    for (const text of lines) {
      // What answers a SASL challenge is no verb, and may hold a password.
      line.verb = /^[A-Z]{3,4}(?= |$)/.exec(text)?.[0] ?? 'SASL';
      line.isListing = !text.includes(' ');
      line.bytes = 0;
      gate.verbs.push(line.verb);
      if (await stops(gate, `${line.verb} before`, chunk)) return drop(line);
      const answered = new Promise<void>((resolve) => {
        line.answered = resolve;
      });
      line.far.write(`${text}\r\n`, 'latin1');
      await answered;
    }
  }
}

async function replies(gate: Pop3Gate, line: Line): Promise<void> {
  const { near, far } = line;
  for await (const chunk of far as AsyncIterable<Buffer>) {
    const before = line.bytes;
    if (before === 0) line.isError = chunk[0] === '-'.charCodeAt(0);
    line.bytes += chunk.length;
    line.tail = (before === 0 ? '' : line.tail).concat(chunk.toString('latin1')).slice(-END.length);
    const whole = isWhole(line);
    if (line.verb !== 'RETR') {
      if (await stops(gate, `${line.verb} answered`, chunk)) return drop(line);
      near.write(chunk);
      if (whole) line.answered?.();
      continue;
    }
    // Where the trap is, and before it only if the message got so far with this chunk.
    const at = before < BODY_BYTES ? Math.min(BODY_BYTES - before, chunk.length) : 0;
    near.write(chunk.subarray(0, at));
    if (at > 0 && line.bytes >= BODY_BYTES && (await stops(gate, 'RETR body', chunk))) return drop(line);
    near.write(chunk.subarray(at));
    if (whole && (await stops(gate, 'RETR whole', chunk))) return drop(line);
    if (whole) line.answered?.();
  }
}

async function stops({ trap }: Pop3Gate, moment: string, bytes: Buffer): Promise<boolean> {
  return (await trap?.pass(moment, bytes)) === 'gone';
}

/** As when a machine is gone: no QUIT, and the server finds the line dropped. */
function drop({ near, far }: Line): void {
  near.destroy();
  far.destroy();
}
