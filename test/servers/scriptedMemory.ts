import { setTimeout as sleep } from 'node:timers/promises';
import type { Transport } from '../../lib/pop3/transport.ts';
import type { Ending } from './scriptedFaults.ts';
import { type ScriptedState, type ScriptedStateOptions, scriptedState } from './scriptedState.ts';

export interface MemoryServer extends ScriptedState {
  /** A new connection; nothing of a network is in between. */
  connect(): Transport;
}

export interface MemoryOptions extends ScriptedStateOptions {
  /** What delays and drips wait on; default: real time. */
  readonly sleep?: (ms: number) => Promise<void>;
}

/** The scripted server without sockets: the same sessions and faults, many thousand connections a second. */
export function scriptedInMemory(options: MemoryOptions = {}): MemoryServer {
  const state = scriptedState(options);
  return {
    ...state,
    connect() {
      state.log.connections++;
      const pipe = new Pipe();
      const conversation = state.converse(pipe, options.sleep ?? ((ms) => sleep(ms)));
      return {
        read: () => pipe.read(),
        get unread() {
          return pipe.unread;
        },
        async write(bytes) {
          if (pipe.broken !== null) throw pipe.broken;
          conversation.receive(Buffer.from(bytes));
        },
        destroy() {
          pipe.break(new Error('The connection was destroyed.'));
          conversation.dropped();
        },
      };
    },
  };
}

/** How much the server may send ahead of the reader, as a socket's buffers would let it. */
const AHEAD_BYTES = 64 * 1024;

/** The server's direction: a queue that holds the writer back once enough is unread. */
class Pipe {
  broken: Error | null = null;
  unread = 0;
  #ended = false;
  readonly #queue: Buffer[] = [];
  #reader: (() => void) | null = null;
  #writer: (() => void) | null = null;

  async write(bytes: Buffer): Promise<void> {
    while (this.broken === null && this.unread >= AHEAD_BYTES) {
      await new Promise<void>((resolve) => {
        this.#writer = resolve;
      });
    }
    if (this.broken !== null) throw this.broken;
    this.#queue.push(bytes);
    this.unread += bytes.length;
    this.#reader?.();
  }

  /** Every write is a read of its own here. */
  async settle(): Promise<void> {}

  end(ending: Ending): void {
    if (ending === 'stall') return;
    if (ending === 'rst') this.break(new Error('read ECONNRESET'));
    this.#ended = true;
    this.#reader?.();
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.broken !== null) throw this.broken;
      const bytes = this.#queue.shift();
      if (bytes !== undefined) {
        this.unread -= bytes.length;
        this.#writer?.();
        return bytes;
      }
      if (this.#ended) return null;
      await new Promise<void>((resolve) => {
        this.#reader = resolve;
      });
    }
  }

  break(error: Error): void {
    this.broken ??= error;
    this.#reader?.();
    this.#writer?.();
  }
}
