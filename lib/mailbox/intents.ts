/** Attempts that are under way or were left: pure changes of a head. */
import { type Head, type Intent, type MessageRef, refKey, type StoredRecord, sameRef } from './state.ts';

/** Only `run`'s own intents are replaced; another's for the same message stands beside them. */
export function withIntents(head: Head, begun: readonly Intent[]): Head {
  if (begun.length === 0) return head;
  const named = (intent: Intent) => `${intent.run} ${refKey(intent)}`;
  // Those that nothing tells apart have one between them.
  const byName = new Map(begun.map((intent) => [named(intent), intent]));
  const others: Intent[] = [];
  for (const intent of head.intents) {
    const replacing = byName.get(named(intent));
    if (replacing === undefined) others.push(intent);
    else byName.set(named(intent), withMarks(replacing, intent));
  }
  const intents = [...byName.values()];
  return { ...head, intents: [...others, ...intents] };
}

/** Where one intent takes another's place, it leads to all that the other led to. */
function withMarks(intent: Intent, ...others: readonly Intent[]): Intent {
  const all = [intent, ...others];
  const contents = [...new Set(all.flatMap((one) => one.contents ?? []))];
  const unstuffed = [...new Set(all.flatMap((one) => one.unstuffed ?? []))];
  return {
    ...intent,
    ...(contents.length === 0 ? {} : { contents }),
    ...(unstuffed.length === 0 ? {} : { unstuffed }),
  };
}

/** Takes the place of what runs left behind for the same message, when it is about to be looked at alone. */
export function withIntentAlone(head: Head, intent: Intent, nowMs: number): Head {
  const left = leftBehind(head, intent, nowMs);
  const intents = head.intents.filter((other) => !left.includes(other));
  return withIntents({ ...head, intents }, [asOne(intent, left)]);
}

/**
 * Stands beside the last that runs left behind for a message that has vanished, whose time tells for how long it is
 * watched, and which takes the place of the others.
 */
export function withLook(head: Head, intent: Intent, nowMs: number): Head {
  const left = leftBehind(head, intent, nowMs);
  const last = left.toSorted((one, other) => one.untilMs - other.untilMs).at(-1);
  const intents = head.intents.flatMap((other) => {
    if (other === last) return [asOne(last, left)];
    return left.includes(other) ? [] : [other];
  });
  return withIntents({ ...head, intents }, [intent]);
}

function leftBehind({ intents }: Head, ref: MessageRef, nowMs: number): readonly Intent[] {
  return intents.filter((intent) => sameRef(intent, ref) && intent.untilMs <= nowMs);
}

/** One leads to what was left as well as many, which would crowd out new mail. */
function asOne(intent: Intent, left: readonly Intent[]): Intent {
  const blind = left.some((other) => other.blind);
  return withMarks(blind ? { ...intent, blind } : intent, ...left);
}

/**
 * Strikes what `runs` wrote for these messages. Another run's intent may be struck only by whoever has looked for
 * what that run left in the store: it may have stored other bytes.
 */
export function strikeIntents(head: Head, refs: readonly MessageRef[], runs: ReadonlySet<string>): Head {
  if (refs.length === 0) return head;
  const struck = new Set(refs.map(refKey));
  const intents = head.intents.filter((intent) => !(struck.has(refKey(intent)) && runs.has(intent.run)));
  return intents.length === head.intents.length ? head : { ...head, intents };
}

/** `run` has ended: what it leaves open may be judged by anybody from `nowMs` on. */
export function releaseIntents(head: Head, run: string, nowMs: number): Head {
  if (!head.intents.some((intent) => intent.run === run && intent.untilMs > nowMs)) return head;
  const intents = head.intents.map((intent) =>
    intent.run === run && intent.untilMs > nowMs ? { ...intent, untilMs: nowMs } : intent,
  );
  return { ...head, intents };
}

/** Enough of a SHA-256 to find its object by: 32 hex digits. */
export function contentMark(sha256: string): string {
  return sha256.slice(0, 32);
}

/** Before a message without UIDL is put into the store: where its attempt is left behind, this leads to the object. */
export function withContent(head: Head, ref: MessageRef, { run, sha256 }: ContentOf): Head {
  return marked(head, ref, { run, sha256, as: 'contents' });
}

/** Before a message that lost dots is put into the store: whoever finds the object could not see it there. */
export function withUnstuffed(head: Head, ref: MessageRef, { run, sha256 }: ContentOf): Head {
  return marked(head, ref, { run, sha256, as: 'unstuffed' });
}

function marked(
  head: Head,
  ref: MessageRef,
  { run, sha256, as }: ContentOf & { readonly as: 'contents' | 'unstuffed' },
): Head {
  const mark = contentMark(sha256);
  const isMeant = (intent: Intent) =>
    intent.run === run && sameRef(intent, ref) && !intent[as]?.includes(mark);
  if (!head.intents.some(isMeant)) return head;
  const intents = head.intents.map((intent) =>
    isMeant(intent) ? { ...intent, [as]: [...(intent[as] ?? []), mark] } : intent,
  );
  return { ...head, intents };
}

export interface ContentOf {
  readonly run: string;
  readonly sha256: string;
}

/** What is on record needs no mark any more; those of one size share an intent, which would grow with each. */
export function withoutContents(head: Head, run: string, records: readonly StoredRecord[]): Head {
  const marks = new Set(records.filter(({ uidl }) => uidl === '').map(({ sha256 }) => contentMark(sha256)));
  if (marks.size === 0) return head;
  const intents = head.intents.map((intent) =>
    intent.run === run && intent.contents?.some((mark) => marks.has(mark))
      ? { ...intent, contents: intent.contents.filter((mark) => !marks.has(mark)) }
      : intent,
  );
  return { ...head, intents };
}

/** Intents that somebody must resolve soon: not of messages set aside, nor of those that vanished. */
export function openIntents(head: Head): readonly Intent[] {
  const aside = new Set(head.failures.filter(({ setAsideMs }) => setAsideMs !== null).map(refKey));
  return head.intents.filter((intent) => intent.lookedMs === undefined && !aside.has(refKey(intent)));
}
