import { type PlanReport, planMailbox } from '../../lib/fetch/inspect.ts';
import { EXIT, type ExitCode, exitCodeOfTrouble, worst } from '../exitCodes.ts';
import { troubleInWords } from '../runInWords.ts';
import type { Terminal } from '../terminal.ts';
import { bytesInWords, countInWords, table } from '../words.ts';
import type { Call } from './command.ts';

/** More rows than this are not read on a screen; --json has them all. */
const ROWS_SHOWN = 100;

/** Says what `fetch` would do and why; retrieves, stores and deletes nothing. */
export async function planCommand(call: Call): Promise<ExitCode> {
  const { mailboxes, ports, terminal, signal, timeLimitMs } = call;
  const codes: ExitCode[] = [];
  for (const mailbox of mailboxes) {
    const plan = await planMailbox(mailbox, ports, { deadlineMs: ports.clock.now() + timeLimitMs, signal });
    if (call.json) terminal.json(plan);
    else showPlan(terminal, plan);
    codes.push(exitCodeOfTrouble(plan.error));
    if (signal.aborted) return EXIT.interrupted;
  }
  return worst(codes);
}

function showPlan(terminal: Terminal, { mailbox, rows, counts, octets, notes, error }: PlanReport): void {
  if (error !== null) {
    terminal.out(`✗ ${mailbox}: no plan\n${troubleInWords(error)}`);
    return;
  }
  const actions = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([action, count]) => `${action} ${count.toLocaleString('en-US')}`);
  const summary = rows.length === 0 ? '' : `: ${actions.join(', ')}; ${bytesInWords(octets)} to fetch`;
  terminal.out(`${mailbox}: ${countInWords(rows.length, 'message')} listed${summary}`);
  if (rows.length > 0) {
    terminal.out(
      table(
        ['number', 'size', 'action', 'uidl', 'why'],
        rows
          .slice(0, ROWS_SHOWN)
          .map((row) => [
            String(row.number),
            row.octets === null ? '' : bytesInWords(row.octets),
            row.action,
            row.uidl,
            row.why,
          ]),
      ),
    );
  }
  if (rows.length > ROWS_SHOWN)
    terminal.out(`… and ${countInWords(rows.length - ROWS_SHOWN, 'more row')}: --json has them all`);
  for (const note of notes) terminal.out(`note: ${note}`);
}
