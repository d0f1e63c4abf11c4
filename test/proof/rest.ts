/** The end of a trial: nothing is left to do, and nothing is left open. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Head } from '../real/endsFar.ts';
import type { Seen } from '../real/endsLedger.ts';
import { checked, type Trial, undone } from './looking.ts';

/**
 * Later, when no intent of a dead run is to be waited for: one more run leaves everything as it was, and nothing
 * open. Returns what was seen.
 */
export async function expectRest(trial: Trial): Promise<Seen> {
  const before = await checked(trial);
  const { ground, user, oracle, tally } = trial;
  const { intents } = await ground.far.head(user);
  await sleep(Math.max(0, ...intents.map(({ untilMs }) => untilMs + 1 - Date.now())));
  tally.runs += 1;
  const { report, words } = await (await ground.startAtLeisure(user)).ended;
  if (report?.outcome !== 'done' || report.counts.setAside + report.counts.failed > 0)
    throw new Error(`the last run: ${JSON.stringify(report)}\n${words}`);
  trial.known = new Map();
  const seen = await checked(trial);
  const wrong = [
    ...undone(trial, seen),
    ...(seen.objects.size === oracle.size ? [] : [`${seen.objects.size} objects`]),
    ...(seen.left.size === before.left.size ? [] : [`${before.left.size - seen.left.size} gone meanwhile`]),
    ...open(await ground.far.head(user)),
  ];
  if (wrong.length > 0) throw new Error(`not at rest:\n${wrong.join('\n')}`);
  return seen;
}

/** An intent whose message is gone stays for a day, for a write that lands late; it was looked for after its run. */
function open({ intents, failures, backOff, quiet }: Head): readonly string[] {
  const unseen = intents.filter(({ untilMs, lookedMs = 0 }) => lookedMs < untilMs);
  const aside = failures.filter(({ setAsideMs }) => setAsideMs !== null);
  return [
    ...(quiet === null ? ['the state says that there is more to do'] : []),
    ...(unseen.length > 0 ? [`intents that nobody looked after: ${JSON.stringify(unseen)}`] : []),
    ...(aside.length > 0 ? [`set aside: ${JSON.stringify(aside)}`] : []),
    ...(backOff === null ? [] : ['backed off']),
  ];
}
