import type { RunReport } from '../../lib/fetch/report.ts';
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import { Company } from '../company.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { whenOn } from '../patience.ts';
import { runInOneLine } from '../runInWords.ts';
import { poolOf, runOnce } from '../runs.ts';
import { watch } from '../watch.ts';
import { WhatIsNew } from '../whatIsNew.ts';
import { countInWords, instantInWords } from '../words.ts';
import type { Call } from './command.ts';

/** Suspects wait so long for a pause between other runs. Then one is made: it lasts for what is under way, and for them. */
const SUSPECTS_WAIT_MS = 3_600_000;

/** Fetches each mailbox on its interval until a signal, which is how it is meant to end. */
export async function watchCommand(call: Call): Promise<ExitCode> {
  const { terminal, signal, ports } = call;
  const pool = poolOf(call);
  const company = new Company(SUSPECTS_WAIT_MS, ports.clock.after);
  const isOnly = call.mailboxes.length === 1;
  const unlessAborted = async (work: () => Promise<RunReport>) => (signal.aborted ? null : work());
  const suspects = isOnly ? 'after' : 'never';
  const run = (mailbox: Mailbox) =>
    company.beside(() =>
      pool.run(mailbox, (_, busy) =>
        unlessAborted(() =>
          runOnce(call, { mailbox, suspects, honourBackOff: true, onProgress: whenOn(busy) }),
        ),
      ),
    );
  const runAlone = (mailbox: Mailbox) =>
    company.alone(() =>
      unlessAborted(() =>
        runOnce(call, { mailbox, suspects: 'only', honourBackOff: true, onProgress: () => {} }),
      ),
    );
  terminal.err(
    `Watching ${countInWords(call.mailboxes.length, 'mailbox', 'mailboxes')} until Ctrl-C or SIGTERM.`,
  );
  await watch({
    // Whoever names a mailbox that is not enabled wants it all the same.
    mailboxes: call.mailboxes.map((mailbox) => ({ ...mailbox, enabled: true })),
    clock: ports.clock,
    signal,
    run,
    runAlone: isOnly ? undefined : runAlone,
    tell: teller(call),
  });
  return EXIT.done;
}

function teller({
  terminal,
  json,
  ports,
}: Call): (mailbox: Mailbox, report: RunReport, skipped: number) => void {
  const news = new WhatIsNew();
  return ({ every }, report, skipped) => {
    const nowMs = ports.clock.now();
    if (!news.isIn(report, nowMs) && skipped === 0) return;
    if (json) {
      terminal.json(skipped === 0 ? report : { ...report, skipped });
      return;
    }
    const words =
      skipped === 0
        ? ''
        : ` | longer than its interval of ${every}: ${countInWords(skipped, 'turn')} skipped`;
    terminal.out(`${instantInWords(nowMs)} ${runInOneLine(report)}${words}`);
  };
}
