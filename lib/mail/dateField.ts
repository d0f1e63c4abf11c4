/**
 * The Date field (RFC 5322 sections 3.3 and 4.3) and the other forms that the wild sends: asctime, JavaScript's
 * toString and ISO 8601. What cannot be read is null; the clock of this machine is never consulted.
 */
export interface ParsedDate {
  /** ISO 8601 in UTC, with milliseconds. */
  readonly date: string;
  /** 'unknown': no zone, or a name without a fixed meaning, and UTC was taken for it. */
  readonly zone: 'known' | 'unknown';
}

type Parts = Readonly<Record<string, string | undefined>>;

/** QUIRK: in the sender's language. It says nothing that the date does not, and may be wrong. */
const DAY_NAME = String.raw`(?:\p{L}{1,12}[.,]*\s*[.,]*\s*)?`;
const MONTH = String.raw`(?<month>[a-z]{3,9})\.?`;
const DAY = String.raw`(?<day>\d{1,2})`;
const COLON = String.raw`\s*[:.]\s*`;
/** Twelve-hour clocks are refused: read as they stand they are half a day off. */
const TIME = String.raw`(?<hour>\d{1,2})${COLON}(?<minute>\d{1,2})(?:${COLON}(?<second>\d{1,2}))?(?!\d)(?:[.,]\d{1,9})?(?!\s*[ap]m\b)`;
const ZONE = String.raw`(?<zone>[a-z]{1,5}(?:[+-]\d{1,2}:?\d\d)?|[+-]\d\d:?\d\d)?`;
const END = String.raw`(?:\s|$)`;

const FORMS: readonly RegExp[] = [
  // Tue, 24 Jul 2007 18:55:07 +0200
  String.raw`${DAY_NAME}${DAY}[\s-]+${MONTH}[\s-]+(?<year>\d{2,4}),?\s+${TIME}\s*${ZONE}${END}`,
  // Tue Jul 24 18:55:07 2007, with a zone before or after the year (C's asctime, date(1))
  String.raw`${DAY_NAME}${MONTH}\s+${DAY}\s+${TIME}\s+${ZONE}\s*(?<year>\d{4})(?:\s+(?<late>[+-]\d{4}))?$`,
  // Tue Jul 24 2007 18:55:07 GMT+0200
  String.raw`${DAY_NAME}${MONTH}\s+${DAY},?\s+(?<year>\d{4}),?\s+${TIME}\s*${ZONE}${END}`,
  // 2007-07-24T18:55:07Z
  String.raw`(?<year>\d{4})-(?<month>\d\d)-${DAY}[t\s]\s*${TIME}\s*${ZONE}${END}`,
].map((form) => new RegExp(`^${form}`, 'iu'));

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/**
 * Minutes east of UTC, by the names of RFC 822 section 5.1. Its military letters had the wrong sign, so all but
 * Z mean nothing (RFC 5322 section 4.3).
 */
const ZONE_NAMES: ReadonlyMap<string, number> = new Map([
  ['z', 0],
  ['ut', 0],
  ['utc', 0],
  ['gmt', 0],
  ['est', -300],
  ['edt', -240],
  ['cst', -360],
  ['cdt', -300],
  ['mst', -420],
  ['mdt', -360],
  ['pst', -480],
  ['pdt', -420],
]);

/** There was no mail before Unix time; after 9999 ISO 8601 needs another form. */
const FIRST_MS = 0;
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
/** The farthest zone on earth is +14:00. */
const MAX_ZONE_MINUTES = 14 * 60;

/** `text`: the field's value, of bounded length: the forms may look at its blanks more than once. */
export function parseDate(text: string): ParsedDate | null {
  const plain = withoutComments(text);
  for (const form of FORMS) {
    const parts = form.exec(plain)?.groups;
    if (parts) return fromParts(parts);
  }
  return null;
}

function fromParts(parts: Parts): ParsedDate | null {
  const local = localMs(parts);
  const zone = zoneMinutes(parts['late'] ?? parts['zone']);
  if (local === null || zone === null) return null;
  const ms = local - (zone === 'unknown' ? 0 : zone) * 60_000;
  if (ms < FIRST_MS || ms > LAST_MS) return null;
  return { date: new Date(ms).toISOString(), zone: zone === 'unknown' ? 'unknown' : 'known' };
}

/** The instant as if the zone were UTC; null for 31 February or 25 o'clock. */
function localMs(parts: Parts): number | null {
  const number = (name: string) => Number(parts[name] ?? 0);
  const month = monthIndex(parts['month'] ?? '');
  const [day, hour, minute, second] = [number('day'), number('hour'), number('minute'), number('second')];
  // A leap second (60) is the first second of the next minute.
  if (month < 0 || hour > 23 || minute > 59 || second > 60) return null;
  const midnight = new Date(Date.UTC(fullYear(parts['year'] ?? ''), month, day));
  if (midnight.getUTCMonth() !== month || midnight.getUTCDate() !== day) return null;
  return midnight.getTime() + ((hour * 60 + minute) * 60 + second) * 1000;
}

function monthIndex(month: string): number {
  return /^\d/.test(month) ? Number(month) - 1 : MONTHS.indexOf(month.slice(0, 3).toLowerCase());
}

/** RFC 5322 section 4.3: 00 to 49 are 2000 and after, 50 to 999 count from 1900. */
function fullYear(digits: string): number {
  const year = Number(digits);
  if (digits.length === 4) return year;
  return year + (digits.length === 2 && year < 50 ? 2000 : 1900);
}

/** Null for an offset that no place on earth has: what else the field says is not to be believed either. */
function zoneMinutes(zone: string | undefined): number | 'unknown' | null {
  if (!zone) return 'unknown';
  const offset = /^(?:gmt|utc?)?([+-])(\d{1,2}):?(\d\d)$/i.exec(zone);
  if (!offset) return ZONE_NAMES.get(zone.toLowerCase()) ?? 'unknown';
  const minutes = Number(offset[2]) * 60 + Number(offset[3]);
  if (Number(offset[3]) > 59 || minutes > MAX_ZONE_MINUTES) return null;
  return offset[1] === '-' ? -minutes : minutes;
}

/** QUIRK: Outlook and Lotus Notes put the zone's local name behind the offset, in 8-bit letters, perhaps unclosed. */
function withoutComments(text: string): string {
  let kept = '';
  let depth = 0;
  for (const character of text) {
    if (character === '(') depth += 1;
    else if (character === ')' && depth > 0) depth -= 1;
    else if (depth === 0) kept += character;
  }
  return kept.trim();
}
