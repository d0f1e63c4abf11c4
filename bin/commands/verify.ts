import {
  FINDINGS,
  type FindingKind,
  type Listed,
  type VerifyReport,
  verifyMailbox,
} from '../../lib/fetch/verify.ts';
import { EXIT, type ExitCode, exitCodeOfTrouble, worst } from '../exitCodes.ts';
import { troubleInWords } from '../runInWords.ts';
import { bytesInWords, countInWords, table } from '../words.ts';
import type { Call } from './command.ts';

/** More than this are not read on a screen; --json has them all. */
const FINDINGS_SHOWN = 100;

/** Holds what is stored against what is on record and what is listed. Changes nothing. */
export async function verifyCommand(call: Call): Promise<ExitCode> {
  const codes: ExitCode[] = [];
  for (const mailbox of call.mailboxes) {
    if (call.signal.aborted) break;
    codes.push(await verify(call, mailbox));
  }
  return call.signal.aborted ? EXIT.interrupted : worst(codes);
}

async function verify(
  { ports, signal, server, timeLimitMs, terminal, json }: Call,
  mailbox: Call['mailboxes'][number],
): Promise<ExitCode> {
  const { id } = mailbox;
  let shown = 0;
  const report = await verifyMailbox(mailbox, ports, {
    ...{ signal, server },
    deadlineMs: ports.clock.now() + timeLimitMs,
    onFinding: (finding) => {
      shown += 1;
      if (json) terminal.json({ mailbox: id, ...finding });
      else if (shown <= FINDINGS_SHOWN) terminal.out(`✗ ${id}: ${finding.key}: ${finding.says}`);
    },
    onProgress: (read) => terminal.live(`${id}: ${countInWords(read, 'object')} read`),
  });
  terminal.live('');
  if (json) terminal.json({ mailbox: id, ...report });
  else {
    if (shown > FINDINGS_SHOWN)
      terminal.out(`… and ${countInWords(shown - FINDINGS_SHOWN, 'more finding')}: --json has them all`);
    terminal.out(inWords(id, report));
  }
  return worst([exitCodeOfTrouble(report.error), shown > 0 ? EXIT.messages : EXIT.done]);
}

function inWords(id: string, report: VerifyReport): string {
  const { onRecord, same, octets, findings, begun, outlived, listed, notes, error } = report;
  const kinds = Object.keys(FINDINGS) as FindingKind[];
  const rows: (readonly [string, number])[] = [
    ['on record, and the object has these bytes', same],
    ...kinds.filter((kind) => findings[kind] > 0).map((kind) => [FINDINGS[kind], findings[kind]] as const),
    ['in the store by an attempt that is not finished', begun],
    ['in the store longer than records are kept', outlived],
    ...(listed === null ? [] : listedRows(listed)),
  ];
  return [
    `${id}: ${countInWords(onRecord, 'message')} on record, ${bytesInWords(octets)} read and compared`,
    table(
      ['messages', 'count'],
      rows.map(([what, count]) => [what, count.toLocaleString('en-US')]),
    ).replace(/^/gm, '  '),
    ...notes.map((note) => `  note: ${note}`),
    ...(error === null ? [] : [`✗ ${id}: not all could be looked at`, troubleInWords(error)]),
  ].join('\n');
}

function listedRows({ messages, onRecord, notOnRecord }: Listed): (readonly [string, number])[] {
  return [
    ['listed by the server', messages],
    ['  on record, and kept there', onRecord.keep],
    ['  on record, and to be deleted there', onRecord.delete],
    ...Object.entries(notOnRecord).map(([action, count]) => [`  not on record: ${action}`, count] as const),
  ];
}
