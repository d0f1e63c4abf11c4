/** What a person does about messages that are set aside. Only the state is changed, by compare-and-swap: a run may be under way. */
import { released, retriedNow, setAsideOf } from '../../lib/mailbox/failures.ts';
import type { Head } from '../../lib/mailbox/state.ts';
import { StateFile } from '../../lib/mailbox/stateFile.ts';
import { EXIT, type ExitCode, UsageError, worst } from '../exitCodes.ts';
import { countInWords, namesInWords } from '../words.ts';
import type { Call } from './command.ts';
import { stateTrouble } from './stateTrouble.ts';

interface Deed {
  readonly change: (head: Head, uidls: readonly string[], nowMs: number) => Head;
  readonly says: string;
}

export function retryCommand(call: Call): Promise<ExitCode> {
  return each(call, { change: retriedNow, says: 'tried by the next run' });
}

export function releaseCommand(call: Call): Promise<ExitCode> {
  return each(call, { change: released, says: 'taken for new by the next run' });
}

async function each(call: Call, deed: Deed): Promise<ExitCode> {
  const codes: ExitCode[] = [];
  for (const { id } of call.mailboxes) codes.push(await doTo(call, id, deed));
  return worst(codes);
}

async function doTo(call: Call, id: string, { change, says }: Deed): Promise<ExitCode> {
  const { ports, uidls, terminal, json } = call;
  try {
    const state = await StateFile.open(ports.store, id, ports.clock);
    const meant = setAsideOf(state.head, uidls).map(({ uidl }) => uidl);
    const missing = uidls.filter((uidl) => !meant.includes(uidl));
    if (missing.length > 0) throw notSetAside(id, missing);
    // By UIDL, not by what was read: another run may have set more aside meanwhile, and those are not meant.
    if (meant.length > 0) await state.commit((head) => change(head, meant, ports.clock.now()));
    if (json) terminal.json({ mailbox: id, uidls: meant });
    else terminal.out(inWords(id, meant.length, says));
    return EXIT.done;
  } catch (error) {
    return stateTrouble(call, id, error);
  }
}

function inWords(id: string, count: number, says: string): string {
  if (count === 0) return `${id}: no message is set aside`;
  return `${id}: ${countInWords(count, 'message')} will be ${says}: mailferry fetch ${id}`;
}

function notSetAside(id: string, uidls: readonly string[]): UsageError {
  const names = namesInWords(uidls.map((uidl) => JSON.stringify(uidl)));
  return new UsageError(
    `${id}: no message with UIDL ${names} is set aside; nothing was changed. mailferry status ${id} shows those that are.`,
  );
}
