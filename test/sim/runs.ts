/** Runs of the engine in simulated processes, and what their reports must be. */
import { ByteBudget } from '../../lib/fetch/byteBudget.ts';
import type { FetchPorts } from '../../lib/fetch/ports.ts';
import type { RunReport } from '../../lib/fetch/report.ts';
import { type RunOptions, runMailbox } from '../../lib/fetch/run.ts';
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import { Pop3Error } from '../../lib/pop3/errors.ts';
import { Secret, SecretError, type Secrets } from '../../lib/secrets/port.ts';
import { UPLOAD_BYTES } from '../../lib/store/port.ts';
import { tokensByReference } from '../secrets/tokensByReference.ts';
import type { Bucket } from './bucket.ts';
import { BusSide } from './busSide.ts';
import { Line } from './line.ts';
import type { Maildrop } from './maildrop.ts';
import { Pop3Session } from './pop3Session.ts';
import { SimulatedProcess, type World } from './process.ts';
import { StoreSide } from './storeSide.ts';
import type { Circumstances } from './swarm.ts';

export interface Stage {
  readonly world: World;
  readonly bucket: Bucket;
  readonly maildrop: Maildrop;
  readonly circumstances: Circumstances;
  readonly mailbox: Mailbox;
  readonly password: string;
  /** A wrong engine's, or none. */
  readonly wrap: (ports: FetchPorts) => FetchPorts;
}

export interface Going {
  readonly process: SimulatedProcess;
  report: RunReport | null;
}

export interface Start {
  readonly suspects: RunOptions['suspects'];
  readonly honourBackOff: boolean;
  readonly spanMs: number;
  /** Whether the process lives on when its run has ended. */
  readonly stays: boolean;
}

/** A run ends by its deadline; its last event may take as long as a publisher may. */
const END_MARGIN_MS = 60_000;

/** What the engine says on purpose with no code of its own. */
const KNOWN_WORDS = /Its content was another each of/;

export function start(stage: Stage, name: string, { spanMs, stays, ...rest }: Start): Going {
  const { world, circumstances, mailbox } = stage;
  const process = new SimulatedProcess(name, world, circumstances.accidents);
  const going: Going = { process, report: null };
  const beganMs = world.scheduler.nowMs;
  process.visit = { beganMs, honoursBackOff: rest.honourBackOff, suspects: rest.suspects };
  world.ledger.counts.processes += 1;
  world.scheduler.note(name, 'starts', rest.suspects);
  const ports = stage.wrap(portsOf(stage, process));
  const deadlineMs = ports.clock.now() + spanMs;
  runMailbox(mailbox, ports, { ...rest, deadlineMs, signal: process.abort.signal }).then(
    (report) => {
      process.ended = true;
      going.report = report;
      world.scheduler.note(name, 'ended', toldBy(report));
      checkReport(stage, report);
      const tookMs = world.scheduler.nowMs - beganMs;
      if (!process.disturbed && tookMs > spanMs + END_MARGIN_MS)
        world.ledger.fail('I12 time', `${name} took ${tookMs} ms of ${spanMs}`);
      if (!stays) process.exit();
    },
    (error: unknown) => {
      process.ended = true;
      world.ledger.fail('unexpected error', `runMailbox rejected: ${String(error)}`);
    },
  );
  return going;
}

function toldBy({ outcome, error, messages, counts }: RunReport): string {
  const troubles = [...(error === null ? [] : [error]), ...messages].map(({ message }) => `\n    ${message}`);
  return `${outcome} ${JSON.stringify(counts)}${troubles.join('')}`;
}

function checkReport({ world }: Stage, report: RunReport): void {
  const { listed, ...classes } = report.counts;
  const sum = Object.values(classes).reduce((total, count) => total + count, 0);
  if (sum !== listed) world.ledger.fail('I15 adds up', `${listed} listed, ${sum} told`);
  const troubles = report.error === null ? report.messages : [report.error, ...report.messages];
  for (const { code, message } of troubles) {
    if (code === 'E_UNEXPECTED' && !KNOWN_WORDS.test(message)) world.ledger.fail('unexpected error', message);
    if (code === 'E_STATE_BROKEN' || code === 'E_STATE_NEWER') world.ledger.fail('I6 state', message);
    if (message.includes(world.ledger.terms.password)) world.ledger.fail('I11 secret', 'in a report');
  }
}

function portsOf(stage: Stage, process: SimulatedProcess): FetchPorts {
  const { circumstances, bucket } = stage;
  const secrets = secretsOf(stage, process);
  return {
    dial: (_endpoint, signal) => dial(stage, process, signal),
    store: new StoreSide({ bucket, process, faults: circumstances.store }),
    publisher: new BusSide(process, { durable: circumstances.durable, faults: circumstances.bus }),
    secrets,
    tokens: tokensByReference(secrets),
    clock: process.clock(),
    trust: () => process.call('trust', '', () => trustOf(circumstances)),
    inFlight: new ByteBudget(UPLOAD_BYTES * 2),
  };
}

function trustOf({ completeHonours }: Circumstances) {
  const reason = completeHonours ? '' : 'Complete ignores its condition.';
  return { deletes: completeHonours, reason };
}

async function dial(stage: Stage, process: SimulatedProcess, signal: AbortSignal): Promise<Line> {
  const { circumstances, maildrop, password, world } = stage;
  const fails = !world.calm && process.chance.happens(circumstances.dialFails);
  return process.call('dial', '', () => {
    if (fails || signal.aborted) throw unreachable();
    const line = new Line(process, maildrop.manners);
    process.lines.add(line);
    line.attach(new Pop3Session(line, maildrop, { faults: circumstances.line, password }));
    return line;
  });
}

function unreachable(): Pop3Error {
  const facts = { kind: 'later', code: 'E_POP3_SIMULATED', phase: 'tcp', bytesIn: 0, bytesOut: 0 } as const;
  return new Pop3Error('simulated: no connection', facts);
}

function secretsOf(stage: Stage, process: SimulatedProcess): Secrets {
  const { circumstances, password, world } = stage;
  return {
    read: (reference) => {
      const fails = !world.calm && process.chance.happens(circumstances.secretFails);
      return process.call('secret', '', () => {
        if (fails)
          throw new SecretError('simulated', { kind: 'later', code: 'E_SECRET_SIMULATED', reference });
        return new Secret(password);
      });
    },
  };
}
