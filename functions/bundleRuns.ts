/** The runs of one job: a bundle's mailboxes beside each other, each within its own share; or suspects, each alone. */
import { createHash } from 'node:crypto';
import { ByteBudget } from '../lib/fetch/byteBudget.ts';
import type { FetchPorts } from '../lib/fetch/ports.ts';
import { leftSuspects, type RunReport } from '../lib/fetch/report.ts';
import { runMailbox } from '../lib/fetch/run.ts';
import { hostKey, Turns } from '../lib/fetch/turns.ts';
import type { Mailbox } from '../lib/mailbox/settings.ts';
import { isIdle, tellIdle, tellRun } from './runTold.ts';
import type { Telemetry } from './telemetry.ts';

/** Of the job's time. A run that begins with less would count as a failure of the mailbox, which waited for others. */
const WORTH_SHARE = 8;

/** One upload and the window behind it; so that a slow store holding one mailbox's bytes leaves room for others'. */
const MAILBOX_BYTES = 32 * 1024 * 1024;

export interface Work {
  readonly ports: FetchPorts;
  readonly telemetry: Telemetry;
  readonly bundle: string;
  readonly deadlineMs: number;
  /** One function's; another bundle's may be under way beside it. */
  readonly connectionsPerHost: number;
}

/** Resolves with the ids of those that left suspects. Each run is told as it ends: what comes after may be killed. */
export async function runBundle(
  mailboxes: readonly Mailbox[],
  work: Work,
  slot: string,
): Promise<readonly string[]> {
  const hosts = new Hosts(mailboxes, work);
  const lastMs = work.deadlineMs - (work.deadlineMs - work.ports.clock.now()) / WORTH_SHARE;
  const idle: string[] = [];
  const inTurn = async (mailbox: Mailbox): Promise<readonly string[]> => {
    const turn = await hosts.take(mailbox);
    try {
      if (work.ports.clock.now() > lastMs) {
        const why = 'had no turn at its host within this job';
        work.telemetry.log('info', 'mailbox skipped', { bundle: work.bundle, mailbox: mailbox.id, why });
        return [];
      }
      const report = await runMailbox(mailbox, portsOf(work.ports, mailboxes.length), {
        deadlineMs: turn.deadlineMs,
        suspects: 'never',
        honourBackOff: true,
      });
      tell(work, mailbox, report);
      if (isIdle(report)) idle.push(mailbox.id);
      return leftSuspects(report) ? [mailbox.id] : [];
    } finally {
      turn.leave();
    }
  };
  const suspects = await Promise.all(shuffled(mailboxes, slot).map(inTurn));
  tellIdle(work.telemetry, work.bundle, idle.sort());
  return suspects.flat();
}

/** One after the other, should a job have several: nothing else may be under way. */
export async function runSuspects(mailboxes: readonly Mailbox[], work: Work): Promise<void> {
  const { ports, deadlineMs } = work;
  for (const mailbox of mailboxes) {
    const report = await runMailbox(mailbox, ports, { deadlineMs, suspects: 'only', honourBackOff: true });
    tell(work, mailbox, report);
    if (isIdle(report)) tellIdle(work.telemetry, work.bundle, [mailbox.id]);
  }
}

function tell({ telemetry, bundle, ports }: Work, mailbox: Mailbox, report: RunReport): void {
  tellRun(telemetry, { bundle, mailbox, report, nowMs: ports.clock.now() });
}

function portsOf(ports: FetchPorts, mailboxes: number): FetchPorts {
  return mailboxes === 1 ? ports : { ...ports, inFlight: new ByteBudget(MAILBOX_BYTES, ports.inFlight) };
}

/** Another order in each slot: where a host has no turn for all, it is not always the same who go without. */
function shuffled(mailboxes: readonly Mailbox[], slot: string): readonly Mailbox[] {
  const place = ({ id }: Mailbox) => createHash('sha256').update(`${slot} ${id}`).digest('hex');
  return mailboxes
    .map((mailbox) => ({ mailbox, at: place(mailbox) }))
    .sort((one, other) => (one.at < other.at ? -1 : 1))
    .map(({ mailbox }) => mailbox);
}

/** Turns at each host, and a share of the time for each: a first import must leave some to those that wait behind it. */
class Hosts {
  readonly #work: Work;
  readonly #turns: Turns;
  readonly #hosts = new Map<string, { waiting: number; active: number }>();

  constructor(mailboxes: readonly Mailbox[], work: Work) {
    this.#work = work;
    this.#turns = new Turns(work.connectionsPerHost);
    for (const key of mailboxes.map(hostKey)) this.#host(key).waiting += 1;
  }

  async take(mailbox: Mailbox): Promise<{ readonly deadlineMs: number; leave(): void }> {
    const { connectionsPerHost, deadlineMs, ports } = this.#work;
    const leave = await this.#turns.take(hostKey(mailbox));
    const host = this.#host(hostKey(mailbox));
    // With as many places as are free now, the rest come in rounds of all places.
    const behind = Math.max(0, host.waiting - (connectionsPerHost - host.active));
    const rounds = 1 + Math.ceil(behind / connectionsPerHost);
    host.waiting -= 1;
    host.active += 1;
    const nowMs = ports.clock.now();
    return {
      deadlineMs: nowMs + (deadlineMs - nowMs) / rounds,
      leave() {
        host.active -= 1;
        leave();
      },
    };
  }

  #host(key: string): { waiting: number; active: number } {
    const host = this.#hosts.get(key) ?? { waiting: 0, active: 0 };
    this.#hosts.set(key, host);
    return host;
  }
}
