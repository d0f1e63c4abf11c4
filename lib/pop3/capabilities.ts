/** What CAPA said (RFC 2449). A hint only: UIDL and TOP work on servers that do not announce them. */
export interface Capabilities {
  /** False: the server knows no CAPA, and nothing follows from what is absent. */
  readonly announced: boolean;
  /** In any case of letters. */
  has(name: string): boolean;
  /** The words behind the name, of the first line that has it; empty where there is none. */
  params(name: string): readonly string[];
  /** Shortest time between two sign-ins, in seconds, or null. */
  readonly loginDelaySeconds: number | null;
  /** Days after which the server removes mail by itself; 0: after this session; null: not said. */
  readonly expire: number | 'never' | null;
  /** What AUTH takes (RFC 5034), in capitals; null: not said. */
  readonly mechanisms: readonly string[] | null;
  /** Several commands may be sent before the first answer came. */
  readonly pipelining: boolean;
  /** As sent, escaped and capped. */
  readonly lines: readonly string[];
}

/** @param lines of the answer, already escaped, without CRLF; null where CAPA was refused */
export function capabilities(lines: readonly string[] | null): Capabilities {
  const table = new Map<string, readonly string[]>();
  for (const line of lines ?? []) {
    const [name, ...words] = line.split(/[ \t]+/).filter((word) => word !== '');
    const key = name?.toUpperCase();
    if (key !== undefined && !table.has(key)) table.set(key, words);
  }
  const has = (name: string) => table.has(name.toUpperCase());
  const params = (name: string) => table.get(name.toUpperCase()) ?? [];
  return {
    announced: lines !== null,
    has,
    params,
    loginDelaySeconds: count(params('LOGIN-DELAY')[0]),
    // QUIRK: Mailutils writes "EXPIRENEVER".
    expire: has('EXPIRENEVER') ? 'never' : expire(params('EXPIRE')[0]),
    mechanisms: mechanismsIn(lines ?? []),
    pipelining: has('PIPELINING'),
    lines: lines ?? [],
  };
}

/** QUIRK: some write a line for each mechanism, or commas between them. */
function mechanismsIn(lines: readonly string[]): readonly string[] | null {
  const rows = lines.map((line) =>
    line
      .toUpperCase()
      .split(/[ \t,;]+/)
      .filter((word) => word !== ''),
  );
  const named = rows.filter(([name]) => name === 'SASL');
  return named.length === 0 ? null : named.flatMap(([, ...names]) => names);
}

function expire(word: string | undefined): number | 'never' | null {
  return word?.toUpperCase() === 'NEVER' ? 'never' : count(word);
}

/** Seconds or days; nine digits are thirty years of seconds, and more is no number anybody means. */
function count(word: string | undefined): number | null {
  return word !== undefined && /^\d{1,9}$/.test(word) ? Number(word) : null;
}
