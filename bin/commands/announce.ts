import { announceAgain } from '../../lib/fetch/announceAgain.ts';
import { EXIT, type ExitCode, exitCodeOfTrouble, UsageError, worst } from '../exitCodes.ts';
import { troubleInWords } from '../runInWords.ts';
import { countInWords } from '../words.ts';
import type { Call } from './command.ts';

/** Says once more what is on record, for consumers that have lost it or come later. No mail server is asked. */
export async function announceCommand(call: Call): Promise<ExitCode> {
  const { messageId, sinceMs } = call.chosen;
  if (messageId === null && sinceMs === null && !call.named)
    throw new UsageError(
      'What to announce again: mailferry announce --since TIME, or ID …, or both. All of it is announced by naming each mailbox.',
    );
  const codes: ExitCode[] = [];
  for (const mailbox of call.mailboxes) {
    if (!call.signal.aborted) codes.push(await announce(call, mailbox));
    else if (call.json) call.terminal.json({ mailbox: mailbox.id, begun: false });
    else call.terminal.out(`${mailbox.id}: not begun`);
  }
  return call.signal.aborted ? EXIT.interrupted : worst(codes);
}

async function announce(
  { ports, chosen, signal, terminal, json }: Call,
  mailbox: Call['mailboxes'][number],
): Promise<ExitCode> {
  const { id } = mailbox;
  const report = await announceAgain(mailbox, ports, {
    ...{ ...chosen, signal },
    onTrouble: (trouble) => {
      if (json) terminal.json({ mailbox: id, ...trouble });
      else terminal.out(`✗ ${trouble.message} (${trouble.code})`);
    },
    onProgress: (announced) => terminal.live(`${id}: ${countInWords(announced, 'message')} announced`),
  });
  terminal.live('');
  const { announced, unreadable, refused, leftSinceMs, error } = report;
  const leftSince = leftSinceMs === null ? null : new Date(leftSinceMs).toISOString();
  if (json) terminal.json({ mailbox: id, announced, unreadable, refused, leftSince, error });
  else {
    if (error !== null) terminal.out(`✗ ${id}: ended too early\n${troubleInWords(error)}`);
    terminal.out(`${id}: ${countInWords(announced, 'message')} announced`);
    if (leftSince !== null)
      terminal.out(`  not all: go on with mailferry announce ${id} --since ${leftSince}`);
  }
  return worst([
    exitCodeOfTrouble(error),
    refused > 0 ? EXIT.later : EXIT.done,
    unreadable > 0 ? EXIT.messages : EXIT.done,
  ]);
}
