import type { Random } from './random.ts';

/** Values that readers of JSON get wrong, as text: some, such as -0 and __proto__, no literal of ours would keep. */
const VALUES = [
  'null',
  'true',
  '0',
  '-0',
  '-1',
  '1',
  '0.5',
  '1e308',
  '-1e308',
  '9007199254740993',
  '4294967296',
  '""',
  '"a"',
  '"\\u0000"',
  '"\\ud800"',
  '"__proto__"',
  '[]',
  '[null]',
  '[[]]',
  '{}',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"toString":1}',
];

/** Where a value stands: in an object or list of `root`, under `key`. */
interface Place {
  readonly within: Record<string, unknown> | unknown[];
  readonly key: string;
}

/** The document with one to four of its values replaced, removed, renamed, doubled or moved; as it is if it is none. */
export function mutatedJson(bytes: Buffer, random: Random): Buffer {
  let root: unknown;
  try {
    root = JSON.parse(bytes.toString('utf8'));
  } catch {
    return Buffer.from(bytes);
  }
  for (let left = 1 + random.below(4); left > 0; left -= 1) {
    const places = placesIn(root);
    if (places.length === 0) break;
    change(random.pick(places), places, random);
  }
  return Buffer.from(JSON.stringify(root), 'utf8');
}

function change({ within, key }: Place, places: readonly Place[], random: Random): void {
  const other = random.pick(places);
  switch (random.below(6)) {
    case 0:
      remove({ within, key });
      return;
    case 1:
      // A copy, so that no document comes to contain itself.
      set(within, key, structuredClone(Reflect.get(other.within, other.key)));
      return;
    case 2:
      add(within, structuredClone(Reflect.get(within, key)), random);
      return;
    case 3:
      set(within, key, near(Reflect.get(within, key), random));
      return;
    default:
      set(within, key, JSON.parse(random.pick(VALUES)));
  }
}

function remove({ within, key }: Place): void {
  if (Array.isArray(within)) within.splice(Number(key), 1);
  else delete within[key];
}

/** An own property, even where the key is __proto__. */
function set(within: Place['within'], key: string, value: unknown): void {
  Object.defineProperty(within, key, { value, enumerable: true, configurable: true, writable: true });
}

function add(within: Place['within'], value: unknown, random: Random): void {
  if (Array.isArray(within)) within.push(value);
  else set(within, random.pick(['__proto__', 'constructor', 'x', '', 'v']), value);
}

/** The same, a little different: what one bit of damage on a disk, or one more version, would make of it. */
function near(value: unknown, random: Random): unknown {
  if (typeof value === 'number') return value + random.pick([-1, 1, 0.5, 2 ** 32, 2 ** 53]);
  if (typeof value === 'boolean') return !value;
  if (typeof value !== 'string') return JSON.stringify(value);
  const at = random.below(value.length + 1);
  return random.pick([
    `${value.slice(0, at)}${random.pick(['x', '0', '/', '\0', '\u00e9', '\ud800'])}${value.slice(at + 1)}`,
    value.slice(0, at),
    value + value,
    Number(value),
  ]);
}

function placesIn(value: unknown): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  const within = value as Place['within'];
  return Object.keys(within).flatMap((key) => [
    { within, key },
    ...placesIn(Object.getOwnPropertyDescriptor(within, key)?.value),
  ]);
}
