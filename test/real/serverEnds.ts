/** A server with the corpus in its mailboxes, TLS and a recorder in front of it, and a folder that it is fetched into. */
import { corpus, type Sample } from '../corpus.ts';
import { uidlsOf } from '../servers/converse.ts';
import type { Mail, MailServer } from '../servers/mailServer.ts';
import { startTcpProxy, type TcpProxy } from '../servers/tcpProxy.ts';
import { startTlsFront } from '../servers/tlsFront.ts';
import { type Transcript, transcriptOf } from '../servers/transcript.ts';
import type { Command, Ended, Running } from './endsCommand.ts';
import { type FolderEnd, startFolder } from './endsFar.ts';
import type { Entry } from './serverStages.ts';

export interface ServerEnds {
  readonly server: MailServer;
  readonly far: FolderEnd;
  readonly proxy: TcpProxy;
  /** What u1 has. */
  readonly samples: readonly Sample[];
  start(fetching: Fetching): Promise<Running>;
  /** To its end, with what then was said on all its connections. */
  fetch(fetching: Fetching): Promise<{ readonly ended: Ended; readonly said: readonly Transcript[] }>;
  /** Of each connection from this one on. */
  said(from: number): readonly Transcript[];
  /** UIDLs that the server lists, sorted. */
  left(user: string): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export interface Fetching {
  readonly user: string;
  readonly delete: 'keep' | 'when-stored';
  readonly timeLimitSeconds?: number;
}

/** So much is retrieved again and again, on many servers, that one mailbox with the large messages has to do. */
const SMALL_BYTES = 1024 * 1024;

/** Users u1, with the whole corpus; u2 and u3, with what of it is small; u4 and on, with `more`. */
export async function startServerEnds(
  { kind, path }: Entry,
  command: Command,
  more: readonly Mail[],
): Promise<ServerEnds> {
  const samples = corpus().filter((sample) => !kind.keptOut?.(sample));
  const mail = samples.map(({ bytes }) => bytes());
  const small = mail.filter(({ length }) => length < SMALL_BYTES);
  const server = await kind.start(path, [mail, small, small, ...more]);
  const proxy = await startTcpProxy(server);
  const [front, far] = await Promise.all([startTlsFront(proxy), startFolder()]);
  const named = (user: string) =>
    server.users.find(({ name }) => name === user) ?? { name: user, password: '' };
  const start = ({ user, timeLimitSeconds, ...policy }: Fetching) =>
    command.start({
      mailbox: { id: user, port: front.port, user, ...policy },
      password: named(user).password,
      ca: front.ca,
      store: { folder: far.folder },
      events: { file: far.eventsFile },
      timeLimitSeconds: timeLimitSeconds ?? 60,
    });
  const said = (from: number) => proxy.recordings.slice(from).map(transcriptOf);
  return {
    server,
    far,
    proxy,
    samples,
    start,
    async fetch(fetching) {
      const before = proxy.recordings.length;
      const ended = await (await start(fetching)).ended;
      return { ended, said: said(before) };
    },
    said,
    left: async (user) => (await uidlsOf(server.port, named(user))).toSorted(),
    async stop() {
      await front.stop();
      await proxy.stop();
      await server.stop();
      await far.stop();
    },
  };
}
