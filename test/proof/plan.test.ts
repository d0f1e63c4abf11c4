/** The parts of the proof that need no process: what a seed decides, what phases mean, and what is counted. */
import { describe, expect, it } from 'vitest';
import type { Envelope } from '../../lib/events/envelope.ts';
import { sha256 } from '../real/endsLedger.ts';
import { phaseOf } from './phases.ts';
import { planOf, seeded, VICTIMS } from './plan.ts';
import { countSeen, emptyTally, sumOf } from './tally.ts';

const plan = (seed: string, store = true) => planOf(seeded(seed), { store });

describe('a plan', () => {
  it('is decided by its seed alone', () => {
    expect(plan('one')).toEqual(plan('one'));
    expect(plan('one')).not.toEqual(plan('two'));
  });

  it('has every victim, one to three runs at once, and instants all over a run', () => {
    const steps = Array.from({ length: 100 }, (_, index) => plan(String(index)).steps).flat();
    expect(new Set(steps.map(({ victim }) => victim))).toEqual(new Set(VICTIMS));
    expect(new Set(steps.map(({ runs }) => runs.length))).toEqual(new Set([1, 2, 3]));
    const tenths = steps.flatMap(({ runs }) =>
      runs.flatMap((instant) => (instant ? [Math.floor(instant.at * 10)] : [])),
    );
    const counts = Array.from({ length: 10 }, (_, tenth) => tenths.filter((one) => one === tenth).length);
    // Uniform: with over a thousand instants no tenth is far from its share.
    expect(Math.min(...counts)).toBeGreaterThan((tenths.length / 10) * 0.7);
    expect(Math.max(...counts)).toBeLessThan((tenths.length / 10) * 1.3);
  });

  it('kills no store where there is none', () => {
    const steps = Array.from({ length: 50 }, (_, index) => plan(String(index), false).steps).flat();
    expect(steps.filter(({ victim }) => victim === 'store')).toEqual([]);
  });
});

describe('the phase of an instant', () => {
  const signedIn = ['CAPA', 'USER', 'PASS', 'CAPA'];
  const listed = [...signedIn, 'UIDL', 'LIST'];
  const fenced = [...listed, 'RETR', 'RETR', 'UIDL'];
  it.each([
    ['start-up', false, [], 0, 0],
    ['signing in', true, [], 0, 0],
    ['signing in', true, signedIn, 0, 0],
    ['listing', true, listed, 0, 0],
    ['retrieving', true, [...listed, 'RETR'], 0, 0],
    ['retrieving', true, fenced, 0, 0],
    ['storing', true, fenced, 1, 0],
    ['announcing', true, fenced, 2, 1],
    ['committing', true, fenced, 2, 2],
    ['deleting', true, [...fenced, 'DELE'], 2, 2],
    ['proving', true, [...listed, 'TOP'], 0, 0],
    ['ending', true, [...fenced, 'DELE', 'QUIT'], 2, 2],
  ] as const)('%s', (phase, connected, verbs, objects, events) => {
    expect(phaseOf({ connected, verbs }, { objects, events })).toBe(phase);
  });
});

describe('what is counted of a mailbox', () => {
  const bytes = Buffer.from('Subject: one\r\n\r\nbody\r\n');
  const event = (uidl: string) =>
    ({ 'detail-type': 'Message Stored', detail: { id: `id-${uidl}`, uidl } }) as unknown as Envelope;
  const counted = (seen: Parameters<typeof countSeen>[2]) => {
    const tally = emptyTally();
    countSeen(tally, new Map([['a', bytes]]), seen);
    return tally;
  };
  const whole = new Map([['mail/u1/a.eml', bytes]]);

  it.each([
    ['nothing wrong', { objects: whole, events: [event('a')], left: new Set<string>() }, {}],
    ['stored, and never announced', { objects: whole, events: [], left: new Set<string>() }, { lost: 1 }],
    [
      'announced, and not stored',
      { objects: new Map(), events: [event('a')], left: new Set<string>() },
      { lost: 1 },
    ],
    ['not stored, but still on the server', { objects: new Map(), events: [], left: new Set(['a']) }, {}],
    [
      'cut',
      {
        objects: new Map([['mail/u1/a.eml', bytes.subarray(0, 9)]]),
        events: [event('a')],
        left: new Set(['a']),
      },
      { truncated: 1 },
    ],
    [
      'stored twice',
      {
        objects: new Map([...whole, [`mail/u1/a-${sha256(bytes)}.eml`, bytes]]),
        events: [event('a')],
        left: new Set(['a']),
      },
      { duplicates: 1 },
    ],
    [
      'announced twice',
      { objects: whole, events: [event('a'), event('a')], left: new Set(['a']) },
      { repeats: 1 },
    ],
  ])('%s', (_, seen, expected) => {
    expect(counted(seen)).toMatchObject({ lost: 0, duplicates: 0, truncated: 0, repeats: 0, ...expected });
  });

  it('adds up over mailboxes, field by field', () => {
    const one = counted({ objects: whole, events: [event('a')], left: new Set() });
    one.phases.storing = 3;
    expect(sumOf([one, one])).toMatchObject({ mailboxes: 2, events: 2, phases: { storing: 6 } });
  });
});
