import { PublisherError } from '../../lib/events/port.ts';
import { checkMailbox } from '../../lib/fetch/check.ts';
import type { CheckStep } from '../../lib/fetch/walk.ts';
import type { EventsSettings } from '../../lib/mailbox/settings.ts';
import { StoreError } from '../../lib/store/port.ts';
import { EXIT, type ExitCode, exitCodeOfTrouble, worst } from '../exitCodes.ts';
import { durationInWords } from '../words.ts';
import type { Call } from './command.ts';

/** Tries everything that a run needs, step by step, and retrieves no mail. */
export async function checkCommand(call: Call): Promise<ExitCode> {
  const { events } = call.settings;
  const codes = call.isAdHoc
    ? []
    : [
        await checkPlace(call, 'store', () => checkStore(call)),
        // Of a bucket's mailboxes without --bus: what announces there is a function, with a bus of its own.
        events === null ? EXIT.done : await checkPlace(call, 'events', () => checkEvents(call, events)),
      ];
  for (const mailbox of call.mailboxes) {
    if (call.signal.aborted) return EXIT.interrupted;
    if (!call.json) call.terminal.out(`${mailbox.id}: ${mailbox.user} on ${mailbox.host}:${mailbox.port}`);
    const report = await checkMailbox(mailbox, call.ports, {
      deadlineMs: call.ports.clock.now() + call.timeLimitMs,
      signal: call.signal,
      state: call.isAdHoc !== true,
      onStep: ({ name, ...step }) => {
        if (call.json) call.terminal.json({ mailbox: mailbox.id, step: name, ...step });
        else call.terminal.out(mailboxStep({ name, ...step }));
      },
    });
    const { notes, error } = report;
    if (call.json) call.terminal.json({ mailbox: mailbox.id, notes, error });
    else for (const note of notes) call.terminal.out(`  note: ${note}`);
    codes.push(exitCodeOfTrouble(error));
  }
  return call.signal.aborted ? EXIT.interrupted : worst(codes);
}

/** With what is behind it; of one that failed, with what to do. */
function mailboxStep({ details, code, next = '', ...step }: CheckStep): string {
  const said = code === undefined ? step : { ...step, says: `${step.says} (${code})` };
  const more = [...details, ...(next === '' ? [] : [`→ ${next}`])];
  return [stepInWords(said), ...more.map((line) => `      ${line}`)].join('\n');
}

function stepInWords({ name, ok, ms, says }: Step): string {
  const [mark, took] = ok === null ? ['–', ''] : [ok ? '✓' : '✗', milliseconds(ms)];
  return `  ${mark} ${name.padEnd(12)} ${took.padStart(6)}  ${says}`.trimEnd();
}

/** A step on the way to a server takes milliseconds where all is well. */
function milliseconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : durationInWords(ms);
}

interface Step {
  readonly name: string;
  readonly ok: boolean | null;
  readonly ms: number;
  readonly says: string;
}

/** Store and events are the same for all mailboxes: one line each. Resolves with what it found, in words. */
async function checkPlace(
  { ports, terminal, json }: Call,
  name: 'store' | 'events',
  look: () => Promise<string>,
): Promise<ExitCode> {
  const startedMs = ports.clock.now();
  const said = await look().then(
    (says) => ({ ok: true, says, code: EXIT.done as ExitCode }),
    (error: unknown) => {
      if (!(error instanceof StoreError || error instanceof PublisherError)) throw error;
      return {
        ok: false,
        says: `${error.message} (${error.code})`,
        code: error.kind === 'person' ? EXIT.person : EXIT.later,
      };
    },
  );
  const { code, ...step } = { name, ms: ports.clock.now() - startedMs, ...said };
  if (json) terminal.json({ place: name, ...step });
  else terminal.out(stepInWords(step));
  return code;
}

/** The probe writes, and moves 40 MB now and then: only where deletions depend on it. */
async function checkStore({ mailboxes, ports }: Call): Promise<string> {
  const place = 'bucket' in ports.store.place ? ports.store.place.bucket : ports.store.place.folder;
  const deletes = mailboxes.some((mailbox) => mailbox.delete !== 'keep');
  if (!deletes) {
    // The first answer tells; there may be none.
    for await (const _ of ports.store.list('state/')) break;
    return `${place} can be read`;
  }
  const { deletes: trusted, reason } = await ports.trust();
  if (trusted) return `${place} can be trusted with deletions`;
  throw new StoreError(
    `${place} cannot be trusted with deletions: ${reason} Mail that is stored there is left on its server.`,
    { kind: 'person', code: 'E_STORE_UNSUPPORTED', operation: 'probe', key: '' },
  );
}

async function checkEvents({ ports }: Call, events: EventsSettings): Promise<string> {
  await ports.publisher.prove();
  if ('file' in events) return `${events.file} can be written`;
  return 'stdout' in events
    ? 'stdout; it proves nothing, so nothing may be deleted'
    : `bus ${events.bus} exists`;
}
