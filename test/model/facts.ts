/**
 * What a scenario fixes: the mail, the server's ways and the bounds. From it come two small tables that the states
 * of the model only index: variants (what bytes may come under a UIDL) and refs (how a run tells messages apart).
 */

export interface ModelMessage {
  /** Which UIDL it bears; two messages may bear the same. */
  readonly uidl: number;
  /** Octets, as LIST says; only whether two are equal matters. */
  readonly size: number;
  /** Header hash; only whether two are equal matters. */
  readonly header: number;
  /** Its header block names nobody (no Message-ID, no Received), so TOP proves nothing. */
  readonly anonymous?: true;
  /** Ends the process that retrieves it, or that makes a summary of its header. */
  readonly poison?: 'retr' | 'summary';
  /** The server does not stuff its dots: RETR cuts it, and its tail stands where the next replies should. */
  readonly cut?: 'always' | 'sometimes';
  /** The server may deliver it short, and end it properly. */
  readonly short?: true;
  /** It is there at once, may come at any time, or may come once this other message is gone. */
  readonly arrives?: 'at any time' | { readonly after: number };
  /** Another client may remove it at any time. */
  readonly vanishes?: true;
}

export interface Scenario {
  readonly name: string;
  /** What is tried, for the table. */
  readonly about: string;
  readonly messages: readonly ModelMessage[];
  /** Runs that may be under way at once. */
  readonly workers: number;
  /** Kills, lost answers, refusals, broken lines, frozen runs: so many in one history. */
  readonly faults: number;
  /** Attempts alone before a message is set aside. */
  readonly attempts: number;
  readonly signIns: number;
  readonly deletes: 'when stored' | 'keep';
  /** When the server commits DELE: as RFC 1939 says, or also when the line drops. */
  readonly commits: 'at QUIT' | 'at disconnect';
  /** Whether the server hides what was retrieved, from when on. */
  readonly hides: 'never' | 'at RETR' | 'at QUIT';
  /** Whether an unanswered write may land after later reads. */
  readonly late: boolean;
}

export type VariantKind = 'whole' | 'cut' | 'short' | 'forged';

/** Bytes under a UIDL: what an object, an event and a record are of. Numbered from 1; 0 is none. */
export interface Variant {
  readonly message: number;
  readonly uidl: number;
  readonly kind: VariantKind;
  readonly size: number;
  readonly header: number;
}

export interface Ref {
  readonly uidl: number;
  readonly size: number;
  /** Null where the UIDL is not repeated in the listing. */
  readonly header: number | null;
}

export interface Facts {
  readonly scenario: Scenario;
  readonly messages: readonly ModelMessage[];
  readonly uidls: number;
  readonly variants: readonly (Variant | null)[];
  /** By message, the number of each of its variants. */
  readonly variantOf: readonly Readonly<Record<VariantKind, number>>[];
  readonly refs: readonly Ref[];
  /** By message: its ref where its UIDL is unique in the listing, and where it is repeated. */
  readonly plain: readonly number[];
  readonly repeated: readonly number[];
  /** Refs of messages that may rightly be set aside, as a mask. */
  readonly guilty: number;
}

const KINDS: readonly VariantKind[] = ['whole', 'cut', 'short', 'forged'];

export function factsOf(scenario: Scenario): Facts {
  const { messages } = scenario;
  const variants: (Variant | null)[] = [null];
  const unstuffed = messages.some(({ cut }) => cut);
  const variantOf = messages.map((message, index) => {
    const numbers: Record<VariantKind, number> = { whole: 0, cut: 0, short: 0, forged: 0 };
    for (const kind of KINDS) {
      if (kind === 'short' && !message.short) continue;
      if (kind === 'forged' && !unstuffed) continue;
      numbers[kind] = variants.length;
      const { uidl, size, header } = message;
      variants.push({ message: index, uidl, kind, size, header: kind === 'forged' ? -1 : header });
    }
    return numbers;
  });
  const refs: Ref[] = [];
  const numbered = (ref: Ref): number => {
    const at = refs.findIndex((other) => JSON.stringify(other) === JSON.stringify(ref));
    return at >= 0 ? at : refs.push(ref) - 1;
  };
  const plain = messages.map(({ uidl, size }) => numbered({ uidl, size, header: null }));
  const shared = (uidl: number) => messages.filter((other) => other.uidl === uidl).length > 1;
  const repeated = messages.map(({ uidl, size, header }, index) =>
    shared(uidl) ? numbered({ uidl, size, header }) : (plain[index] ?? 0),
  );
  let guilty = 0;
  messages.forEach(({ poison, cut }, index) => {
    if (poison === 'retr' || cut) guilty |= (1 << (plain[index] ?? 0)) | (1 << (repeated[index] ?? 0));
  });
  refuseOutOfBounds(scenario, { variants: variants.length - 1, refs: refs.length });
  const uidls = Math.max(...messages.map(({ uidl }) => uidl)) + 1;
  return { scenario, messages, uidls, variants, variantOf, refs, plain, repeated, guilty };
}

/** What the key of a state has bits for: two states must never have the same key. */
function refuseOutOfBounds(
  { name, messages, signIns, attempts, faults, workers }: Scenario,
  { variants, refs }: { readonly variants: number; readonly refs: number },
): void {
  const fits =
    messages.length <= 4 &&
    variants <= 7 &&
    refs <= 7 &&
    signIns <= 3 &&
    attempts <= 7 &&
    workers <= 6 &&
    faults <= 63;
  if (!fits) throw new Error(`scenario ${name} is larger than a state's key`);
}
