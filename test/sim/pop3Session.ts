/** A POP3 session (RFC 1939, 2449) on the simulated server: a command in, an answer out. */

import { capabilitiesOf } from './capabilities.ts';
import type { Odds } from './chance.ts';
import type { Line, Peer } from './line.ts';
import { type Answer, type LineFault, send, sendFaulty } from './lineFaults.ts';
import type { Maildrop } from './maildrop.ts';
import type { Message } from './messages.ts';
import { turnsAwayAgain } from './oddities.ts';
import { atDele, atQuit } from './oracles.ts';
import { checkAsked } from './policyOracle.ts';
import type { SimulatedProcess, World } from './process.ts';
import { atSignIn } from './waitOracle.ts';

/** A message as one session numbers it. */
export interface Slot {
  readonly message: Message;
  readonly uidl: string;
  /** As this session's LIST said; null: no number, or not asked yet. */
  announced: number | null;
  deleted: boolean;
  /** RETR, and TOP, were answered whole. */
  retrieved: boolean;
  topped: boolean;
}

/** How much of an UPDATE is done, beyond the first of it, by a server that always does but part of it. */
const QUIT_DOES = 0.6;

const NO_SUCH: Answer = { status: '-ERR no such message' };

export class Pop3Session implements Peer {
  readonly process: SimulatedProcess;
  readonly #world: World;
  readonly #maildrop: Maildrop;
  readonly #line: Line;
  readonly #faults: Odds<LineFault>;
  readonly #password: string;
  slots: Slot[] = [];
  sinceMs = 0;
  #signedIn = false;
  #over = false;
  #partial = '';
  #pipelined = false;
  /** Bytes that nobody asked for were sent, and are read as the answer to what comes next. */
  #shifted = false;

  constructor(
    line: Line,
    maildrop: Maildrop,
    options: { readonly faults: Odds<LineFault>; readonly password: string },
  ) {
    this.#line = line;
    this.process = line.process;
    this.#world = line.process.world;
    this.#maildrop = maildrop;
    this.#faults = options.faults;
    this.#password = options.password;
    this.#reply('greeting', { status: '+OK ready' });
  }

  receive(bytes: Buffer): void {
    const lines = (this.#partial + bytes.toString('latin1')).split('\r\n');
    this.#partial = lines.pop() ?? '';
    this.#pipelined = lines.length > 1;
    const { pipelining } = this.#maildrop.manners;
    if (this.#pipelined && pipelining === 'the first') lines.length = 1;
    if (this.#pipelined && pipelining === 'none, and the line ends') {
      this.#line.end('fin');
      this.dropped();
      return;
    }
    for (const line of lines) {
      if (this.#over) return;
      const blank = line.indexOf(' ');
      const verb = blank < 0 ? line : line.slice(0, blank);
      this.#reply(verb, this.#answer(verb, blank < 0 ? '' : line.slice(blank + 1)));
    }
  }

  dropped(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#maildrop.manners.deletes === 'at disconnect') this.#update(false);
    this.#release(this.#maildrop.manners.lingerMs);
  }

  #answer(verb: string, args: string): Answer {
    if (verb === 'QUIT') return this.#bye();
    if (verb === 'CAPA') return capabilitiesOf(this.#maildrop.manners);
    if (verb === 'USER') return { status: '+OK' };
    if (verb === 'PASS') return this.#signIn(args);
    if (!this.#signedIn) return { status: '-ERR sign in first' };
    const { manners } = this.#maildrop;
    switch (verb) {
      case 'UIDL':
        return args === ''
          ? { ...this.#listed(), wrong: () => this.#emptyListing() }
          : this.#row(args, manners.uidlOfOne && manners.uidls !== 'none', ({ uidl }) => uidl);
      case 'LIST':
        if (args === '' && this.#refusesEmpty('LIST')) return NO_SUCH;
        return args === ''
          ? { ...this.#rows(({ message }) => message.listed), wrong: () => this.#withWrongSize() }
          : this.#row(args, manners.listOfOne, ({ message }) => message.listed);
      case 'STAT': {
        const there = this.slots.filter(({ deleted }) => !deleted);
        const octets = there.reduce((sum, { message }) => sum + message.bytes.length, 0);
        return { status: `+OK ${there.length} ${octets}` };
      }
      case 'RETR':
      case 'TOP':
      case 'DELE':
        return this.#aboutMessage(verb, Number(args.split(' ')[0]));
      default:
        return { status: '-ERR unknown command' };
    }
  }

  #signIn(password: string): Answer {
    const { manners } = this.#maildrop;
    atSignIn({ visit: this.process.visit, nowMs: this.process.nowMs() }, this.#world.ledger);
    if (password !== this.#password) return { status: '-ERR [AUTH] no' };
    if (manners.exclusive) {
      const locked =
        this.#maildrop.openSessions > 0 || this.#maildrop.lockedUntilMs > this.#world.scheduler.nowMs;
      if (locked) return { status: '-ERR [IN-USE] locked' };
    }
    const delayMs = manners.loginDelaySeconds * 1000;
    const { scheduler, calm, ledger } = this.#world;
    const said = this.#maildrop.doorkeeper?.turnsAway(scheduler.nowMs, delayMs, calm) ?? null;
    if (said !== null) {
      ledger.counts.turnedAway += 1;
      return { status: said };
    }
    if (turnsAwayAgain(manners, this.process)) {
      ledger.counts.turnedAway += 1;
      return this.#turnedAway();
    }
    const effect = () => {
      this.#signedIn = true;
      this.process.signIns += 1;
      this.sinceMs = this.#world.scheduler.nowMs;
      this.#maildrop.openSessions += 1;
      this.slots = this.#maildrop.visible(this.#world.chance).map((message, index) => ({
        message,
        uidl: this.#maildrop.nameOf(message, index + 1, ledger),
        announced: message.listSize,
        deleted: false,
        retrieved: false,
        topped: false,
      }));
    };
    return { status: '+OK signed in', effect };
  }

  #turnedAway(): Answer {
    const { againSays } = this.#maildrop.manners;
    if (againSays !== 'nothing, and the line ends') return { status: againSays };
    const effect = () => {
      this.#over = true;
    };
    return { status: '+OK signed in', ends: true, effect };
  }

  #refusesEmpty(verb: 'UIDL' | 'LIST'): boolean {
    return this.#maildrop.manners.refusedEmpty.includes(verb) && this.slots.every(({ deleted }) => deleted);
  }

  #rows(cell: (slot: Slot) => string): Answer {
    let rows = '';
    for (const [index, slot] of this.slots.entries()) {
      if (!slot.deleted) rows += `${index + 1} ${cell(slot)}\r\n`;
    }
    return { status: '+OK', body: Buffer.from(`${rows}.\r\n`, 'latin1') };
  }

  #listed(): Answer {
    this.process.listed = this.slots.filter(({ deleted }) => !deleted);
    if (this.#maildrop.manners.uidls === 'none') return { status: '-ERR unknown command' };
    return this.#refusesEmpty('UIDL') ? NO_SUCH : this.#rows(({ uidl }) => uidl);
  }

  #emptyListing(): Answer {
    this.process.listed = [];
    return { status: '+OK', body: Buffer.from('.\r\n') };
  }

  #row(number: string, allowed: boolean, cell: (slot: Slot) => string): Answer {
    const slot = this.#slot(Number(number));
    if (slot === undefined || !allowed) return NO_SUCH;
    const { chance } = this.process;
    const wrong = () => ({ status: `+OK ${1 + chance.below(4)} ${chance.pick(['u1', '7', ''])}` });
    return { status: `+OK ${number} ${cell(slot)}`, wrong };
  }

  #withWrongSize(): Answer {
    if (this.slots.length === 0) return this.#rows(() => '');
    const wrong = this.process.chance.pick(this.slots);
    const { bytes, number } = wrong.message;
    const lie = this.process.chance.pick([-3, 5_000]);
    const announced = Math.max(0, bytes.length + lie - number);
    wrong.announced = this.#maildrop.manners.forgetsWhenPipelined
      ? Math.max(bytes.length, announced)
      : announced;
    return this.#rows((slot) => (slot === wrong ? String(slot.announced) : slot.message.listed));
  }

  /** Wrong: the UPDATE is done in part. */
  #bye(): Answer {
    const wrong = (): Answer => ({
      status: '-ERR some messages were not removed',
      ends: true,
      effect: () => this.#quit(this.process.chance.next()),
    });
    const { quits } = this.#maildrop.manners;
    if (quits === 'well' || this.slots.every(({ deleted }) => !deleted))
      return { status: '+OK bye', ends: true, effect: () => this.#quit(), wrong };
    this.#world.ledger.counts.quitsRefused += 1;
    const does = quits === '-ERR, and all is done' ? 1 : QUIT_DOES;
    return { ...wrong(), effect: () => this.#quit(does, 1) };
  }

  #aboutMessage(verb: 'RETR' | 'TOP' | 'DELE', number: number): Answer {
    const slot = this.#slot(number);
    if (slot === undefined) return NO_SUCH;
    const { message } = slot;
    this.process.takes(message);
    if (this.#shifted) this.process.isExcused();
    if (verb === 'DELE') {
      const effect = () => {
        atDele(this, slot, this.#world.ledger);
        slot.deleted = true;
      };
      return { status: '+OK', effect };
    }
    if (verb === 'TOP') {
      checkAsked('TOP', { slot, slots: this.slots }, this.#world.ledger);
      if (this.#maildrop.manners.top === 'refused') return { status: '-ERR unknown command' };
      const sent = () => {
        slot.topped = true;
      };
      return { status: '+OK', body: message.topWire, sent };
    }
    checkAsked('RETR', { slot, slots: this.slots }, this.#world.ledger);
    const counts = this.#world.ledger.counts;
    counts.retrs += 1;
    counts.bytesFetched += message.bytes.length;
    const sent = () => {
      slot.retrieved = true;
      if (this.#maildrop.manners.hides === 'at RETR') this.#hide(message);
    };
    if (message.poison === 'refused') return { status: '-ERR cannot be read' };
    const poison = message.poison === 'retr' ? message : null;
    const bare = this.#pipelined && this.#maildrop.manners.forgetsWhenPipelined;
    const body = bare ? message.bareWire : message.wire;
    return { status: `+OK ${message.bytes.length} octets`, body, poison, sent };
  }

  #slot(number: number): Slot | undefined {
    const slot = this.slots[number - 1];
    return slot?.deleted ? undefined : slot;
  }

  #reply(verb: string, answer: Answer) {
    const fault = this.process.fault(this.#faults, verb);
    if (fault === null) return send(this.#line, answer);
    this.process.isExcused();
    if (fault === 'extra') this.#shifted = true;
    sendFaulty(fault, { line: this.#line, answer, dropped: () => this.dropped() });
  }

  #quit(partly = 1, atLeast = 0): void {
    atQuit(this, this.#world.ledger);
    this.#over = true;
    this.#update(true, partly, atLeast);
    this.#release(0);
  }

  #update(byQuit: boolean, partly = 1, atLeast = 0): void {
    let done = 0;
    const { manners } = this.#maildrop;
    for (const { message, uidl, deleted, retrieved } of this.slots) {
      if (byQuit && retrieved && manners.hides === 'at QUIT') this.#hide(message);
      if (!deleted || manners.deletes === 'ignored') continue;
      if (partly < 1 && done >= atLeast && this.process.chance.next() >= partly) continue;
      done += 1;
      if (this.#maildrop.remove(message)) this.#world.ledger.remove({ message, uidl });
    }
  }

  #hide(message: Message): void {
    message.hidden = true;
    this.#world.ledger.unlisted(message);
  }

  #release(lingerMs: number): void {
    if (!this.#signedIn) return;
    this.#signedIn = false;
    this.#maildrop.openSessions -= 1;
    this.#maildrop.lockedUntilMs = this.#world.scheduler.nowMs + lingerMs;
  }
}
