/** Wrong engines that lose the older part of a mailbox's state. */
import type { Mutant } from './mutant.ts';

const STATE_FILE = 'lib/mailbox/stateFile.ts';
const SEGMENT_FILES = 'lib/mailbox/segments.ts';
const SWEEP = 'lib/mailbox/sweep.ts';

export const SEGMENTS: readonly Mutant[] = [
  {
    name: 'head written before its segment',
    breaks: 'a kill between the two leaves a head that names records which were never written',
    patches: [
      {
        file: SEGMENT_FILES,
        find: 'const settled = await createSettled(this.#store, key, body, digestOf(body));',
        replace: `createSettled(this.#store, key, body, digestOf(body)).catch(() => {});
    const settled = 'created' as string;`,
      },
    ],
    caughtBy: { oracles: ['I6 segment'] },
  },
  {
    name: 'segment removed before the head lets go of it',
    breaks: 'a write that does not win leaves a head that names what is gone',
    patches: [
      {
        file: STATE_FILE,
        find: 'const answer = await this.#store.replace(',
        replace: `for (const { name } of fitted.superseded) await this.#segments.remove(name);
      const answer = await this.#store.replace(`,
      },
    ],
    caughtBy: { oracles: ['I6 segment'] },
  },
  {
    name: 'segment removed after an unknown answer',
    breaks: 'the head that was written after all, or lands late, names what was taken away',
    patches: [
      {
        file: STATE_FILE,
        find: "if (answer === 'conflict') await this.#discard(fitted.made);\n      else if (++unknowns",
        replace: "await this.#discard(fitted.made);\n      if (answer !== 'conflict' && ++unknowns",
      },
    ],
    caughtBy: {
      file: 'test/mutants/rare.test.ts',
      title: 'what is too rare for the simulation > a head that lands after',
    },
  },
  {
    name: 'segment removed without a look at the head',
    breaks: 'a write that was told to have lost had won: the head names what is taken away after it',
    patches: [{ file: STATE_FILE, find: 'if (!named.has(name)) await', replace: 'await' }],
    caughtBy: { oracles: ['I6 segment'] },
  },
  {
    name: 'merge forgets what it merges',
    breaks: 'the segments that a new one takes the place of are dropped, and their records with them',
    patches: [
      {
        file: STATE_FILE,
        find: 'newest([...older, ...head.records])',
        replace: 'newest(head.records)',
      },
    ],
    caughtBy: { oracles: ['I6 record'] },
  },
  {
    name: 'segment gone = segment empty',
    breaks: 'a segment that another run has merged away counts as having held nothing',
    patches: [
      {
        file: SEGMENT_FILES,
        find: 'if (object === null) throw new SegmentGone(name);',
        replace: 'if (object === null) return [];',
      },
    ],
    caughtBy: {
      file: 'test/mailbox/stateFile.test.ts',
      title: 'segments > are read again where another run merges them meanwhile',
    },
  },
  {
    name: 'young segments swept',
    breaks: 'a sweep takes away the segment that another run has written and not yet named',
    patches: [
      {
        file: SWEEP,
        find: 'const left = ours.has(name) || (await this.#isLongUnnamed(name));',
        replace: 'const left = ours.has(name) || (await this.#isLongUnnamed(name)) || true;',
      },
    ],
    caughtBy: {
      file: 'test/mailbox/stateFile.test.ts',
      title: 'a sweep > takes away segments of writes that never won',
    },
  },
  {
    name: 'prune on empty listing',
    breaks: 'a record is dropped as soon as one sweep misses its UIDL: an empty listing drops them all',
    patches: [
      {
        file: SWEEP,
        find: 'if (goneMs === undefined) return { ...record, goneMs: nowMs };',
        replace: 'if (goneMs === undefined) return null;',
      },
    ],
    caughtBy: { oracles: ['I6 record'] },
  },
];
