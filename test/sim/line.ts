/**
 * A connection: the real client's bytes go to a simulated session, whose answers come back in pieces, late, cut
 * off or not at all. What the server sent and the client has not read is in flight; how much of it counts as
 * arrived is chance, so that the tail of an answer may come after the client has looked for one.
 */
import type { Transport } from '../../lib/pop3/transport.ts';
import type { Message } from './messages.ts';
import type { SimulatedProcess } from './process.ts';

/** The server's side of a line. */
export interface Peer {
  receive(bytes: Buffer): void;
  dropped(): void;
}

interface Piece {
  readonly bytes: Buffer;
  /** Who reads it dies of it. */
  readonly poison: Message | null;
}

interface Reader {
  resolve(bytes: Buffer | null): void;
  reject(error: Error): void;
}

export class Line implements Transport {
  readonly process: SimulatedProcess;
  #peer: Peer | null = null;
  unread = 0;
  readonly #eager: number;
  readonly #pieces: boolean;
  readonly #inFlight: Piece[] = [];
  #outgoing: Buffer[] = [];
  /** What the server does once a stall is over, in order; null where there is none. */
  #stalled: (() => void)[] | null = null;
  #ended: 'no' | 'fin' | 'rst' = 'no';
  #closed = false;
  #reader: Reader | null = null;
  /** What the client last sent, for the trace. */
  #said = '';

  constructor(process: SimulatedProcess, manners: { readonly eager: number; readonly pieces: boolean }) {
    this.process = process;
    this.#eager = manners.eager;
    this.#pieces = manners.pieces;
  }

  attach(peer: Peer): void {
    this.#peer = peer;
  }

  get closed(): boolean {
    return this.#closed;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.process.dead) return new Promise(() => {});
    if (this.#closed) return Promise.reject(new Error('The line is closed.'));
    const copy = Buffer.from(bytes);
    this.#said = copy.toString('latin1', 0, copy.length - 2);
    this.#outgoing.push(copy);
    // It reaches the server at once, or only while its answer is waited for.
    if (this.process.chance.next() < 0.5) this.#flush();
    return Promise.resolve();
  }

  read(): Promise<Buffer | null> {
    return new Promise((resolve, reject) => {
      this.process.does('line', this.#said, () => {
        this.#flush();
        this.#reader = { resolve, reject };
        this.#deliver();
      });
    });
  }

  destroy(): void {
    if (this.process.dead) return;
    this.drop();
    this.#reader?.reject(new Error('The line was destroyed.'));
    this.#reader = null;
  }

  /** Its end is gone; what it had sent last may still be read by the server. */
  drop(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.process.lines.delete(this);
    if (this.process.chance.next() < 0.5) this.#flush();
    this.#outgoing = [];
    this.#peer?.dropped();
  }

  /** Of the server. `poison`: of whoever reads it. */
  send(bytes: Buffer, poison: Message | null = null): void {
    if (this.#ended !== 'no') return;
    if (this.#stalled) return void this.#stalled.push(() => this.send(bytes, poison));
    if (!this.#pieces) {
      // Cut where a line of one dot ends: what comes behind is in flight while the client believes the body whole.
      for (let at = 0; at < bytes.length; ) {
        const dot = bytes.indexOf('\r\n.\r\n', at);
        const to = dot < 0 ? bytes.length : dot + '\r\n.\r\n'.length;
        this.#inFlight.push({ bytes: bytes.subarray(at, to), poison: to >= bytes.length ? poison : null });
        at = to;
      }
    } else {
      for (let at = 0; at < bytes.length; ) {
        const to = at + 1 + this.process.chance.below(this.process.chance.pick([4, 40, 400, 4000]));
        this.#inFlight.push({ bytes: bytes.subarray(at, to), poison: to >= bytes.length ? poison : null });
        at = to;
      }
    }
    this.#deliver();
  }

  /** What the server does from now on reaches nobody for so long. */
  stall(ms: number): void {
    if (this.#stalled) return;
    this.#stalled = [];
    this.process.world.scheduler.after(ms, this.process, () => {
      const late = this.#stalled ?? [];
      this.#stalled = null;
      for (const act of late) act();
    });
  }

  /** The server's side ends, behind what it has sent. */
  end(how: 'fin' | 'rst'): void {
    if (this.#stalled) return void this.#stalled.push(() => this.end(how));
    this.#ended = how;
    this.#deliver();
  }

  #flush(): void {
    if (this.#outgoing.length === 0) return;
    const bytes = this.#outgoing.length === 1 ? (this.#outgoing[0] as Buffer) : Buffer.concat(this.#outgoing);
    this.#outgoing = [];
    if (this.#ended === 'no') this.#peer?.receive(bytes);
  }

  #deliver() {
    const reader = this.#reader;
    if (reader === null) return;
    const piece = this.#inFlight.shift();
    if (piece === undefined && this.#ended === 'no') return;
    this.#reader = null;
    if (piece === undefined) {
      if (this.#ended === 'rst') reader.reject(new Error('read ECONNRESET'));
      else reader.resolve(null);
      return;
    }
    if (piece.poison !== null) return this.process.die(`of message ${piece.poison.number} in RETR`);
    const arrived = this.#inFlight.length > 0 && this.process.chance.next() < this.#eager;
    this.unread = arrived ? this.#inFlight.reduce((sum, { bytes }) => sum + bytes.length, 0) : 0;
    reader.resolve(piece.bytes);
  }
}
