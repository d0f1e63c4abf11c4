/** The bus as one process sees it, and the events whose making or sending ends that process. */
import { type Published, type Publisher, PublisherError } from '../../lib/events/port.ts';
import type { MailferryEvent, MessageStored } from '../../lib/events/shapes.ts';
import type { Odds } from './chance.ts';
import type { Message } from './messages.ts';
import { atAcceptance } from './oracles.ts';
import type { SimulatedProcess } from './process.ts';

export type BusFault =
  /** Nothing could be tried. */
  | 'unavailable'
  /** Some entries are refused; others are taken, and some of those said to be refused: their answer was lost. */
  | 'partial'
  | 'slow'
  /** The bus cannot be proved to exist. */
  | 'unproved';

const SLOW_WITHIN_MS = 40_000;

export class BusSide implements Publisher {
  readonly durable: boolean;
  readonly #process: SimulatedProcess;
  readonly #faults: Odds<BusFault>;

  constructor(
    process: SimulatedProcess,
    options: { readonly durable: boolean; readonly faults: Odds<BusFault> },
  ) {
    this.#process = process;
    this.durable = options.durable;
    this.#faults = options.faults;
  }

  prove(): Promise<void> {
    const fault = this.#process.fault(this.#faults, 'prove');
    return this.#process.call('prove', '', () => {
      if (fault === 'unproved') throw failure('person');
      if (fault === 'unavailable') throw failure('later');
      this.#process.proved = true;
    });
  }

  publish(events: readonly MailferryEvent[]): Promise<readonly Published[]> {
    const { ledger } = this.#process.world;
    for (const event of events) {
      if (event.detailType !== 'Message Stored') continue;
      const message = ledger.messageOf(event.detail);
      if (message === undefined) continue;
      this.#process.takes(message);
      if (kills(message, event.detail)) {
        this.#process.die(`of message ${message.number} (${message.poison})`);
        return new Promise(() => {});
      }
    }
    const fault = this.#process.fault(this.#faults, 'publish');
    const { chance } = this.#process;
    const slowMs = fault === 'slow' ? chance.next() * SLOW_WITHIN_MS : 0;
    const fates = events.map(() =>
      fault === 'partial' ? chance.pick(['taken', 'refused', 'unheard']) : 'taken',
    );
    if (fault === 'partial') for (const event of events) this.#excuse(event);
    const act = () => {
      if (fault === 'unavailable') throw failure('later');
      return events.map((event, index) => this.#enter(event, fates[index] ?? 'taken'));
    };
    return this.#process.call('publish', String(events.length), act, slowMs);
  }

  #excuse(event: MailferryEvent): void {
    const { ledger } = this.#process.world;
    const message = event.detailType === 'Message Stored' ? ledger.messageOf(event.detail) : undefined;
    if (message) ledger.excuse(message, this.#process.name);
  }

  #enter(event: MailferryEvent, fate: string): Published {
    const { ledger } = this.#process.world;
    const message = event.detailType === 'Message Stored' ? ledger.messageOf(event.detail) : undefined;
    if (message?.poison === 'unsayable') return { accepted: false, reason: 'simulated: too large' };
    if (fate === 'refused') return { accepted: false, reason: 'simulated' };
    atAcceptance(event, ledger);
    return fate === 'unheard' ? { accepted: false, reason: 'simulated: no answer' } : { accepted: true };
  }
}

/** A summary is made wherever an event has one. */
function kills({ poison }: Message, { headers }: MessageStored): boolean {
  return poison === 'announce' || (poison === 'summary' && headers !== null);
}

function failure(kind: 'later' | 'person'): PublisherError {
  return new PublisherError('simulated', { kind, code: 'E_EVENTS_SIMULATED' });
}
