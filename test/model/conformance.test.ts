/** The engine itself against the model: whatever a real run leaves behind, the model must be able to leave behind. */
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../lib/store/memory.ts';
import { MISHAPS, type Mishap, SimulatedProcess } from '../fetch/process.ts';
import { letter, World } from '../fetch/world.ts';
import { mail, type ScriptedMessage } from '../servers/scripted.ts';
import { conforms } from './conformance.ts';
import { Numbering, seenInReality, watched } from './projection.ts';

const BOUNDS = {
  name: 'a real history',
  about: '',
  workers: 2,
  faults: 1,
  attempts: 3,
  signIns: 3,
  deletes: 'when stored',
  commits: 'at QUIT',
  hides: 'never',
  late: false,
} as const;

const DEADLINE_MS = 120_000;

interface History {
  readonly observed: readonly string[];
  readonly numbering: Numbering;
  /** What the struck run called, by name. */
  readonly trace: readonly string[];
}

/** A run that is struck at one call, one at once after it, one after its deadline. */
async function history(messages: readonly ScriptedMessage[], mishap: Mishap, call: number): Promise<History> {
  const numbering = new Numbering(messages, BOUNDS);
  const observed: string[] = [];
  const look = async () => {
    const seen = await seenInReality(world, numbering);
    if (seen !== observed.at(-1)) observed.push(seen);
  };
  const world = new World({
    messages,
    // The model retrieves one message at a time; the simulation is what pipelining is tried by.
    settings: { delete: 'when-stored', pipelining: false },
    store: watched(memoryStore('bucket'), look),
  });
  const publish = world.publisher.publish.bind(world.publisher);
  world.publisher.publish = async (events) => {
    await look();
    const answers = await publish(events);
    await look();
    return answers;
  };
  await look();
  const process = new SimulatedProcess(world, { mishap, calls: new Set([call]) });
  await process.run();
  await look();
  await world.run();
  await look();
  world.skewMs += DEADLINE_MS;
  await look();
  await world.run();
  await look();
  return { observed, numbering, trace: process.trace };
}

/** A twin on whose TOP, or the fence behind it, the line breaks is told from its brother by nothing any more: the model has no such refs. */
function breaksTop(mishap: Mishap, trace: readonly string[], call: number): boolean {
  const sent = trace.slice(0, call).filter((name) => name.startsWith('send'));
  const [before, last] = [sent.at(-2), sent.at(-1)];
  const line = trace[call - 1];
  const ofTop =
    last?.startsWith('send TOP') || (before?.startsWith('send TOP') && last?.startsWith('send UIDL'));
  return mishap.startsWith('fail') && (line === last || line === 'receive') && ofTop === true;
}

const MAILBOXES: readonly { name: string; twins: boolean; messages: () => ScriptedMessage[] }[] = [
  { name: 'two messages', twins: false, messages: () => ['a', 'b'].map((name) => mail(name, letter(name))) },
  {
    name: 'two messages under one UIDL',
    twins: true,
    messages: () => ['a', 'b'].map((name) => mail('same', letter(name))),
  },
];

describe.each(MAILBOXES)('the model follows the engine over $name', ({ messages, twins }) => {
  it.each(MISHAPS)('%s, at every call of a run', { timeout: 240_000 }, async (mishap) => {
    const { trace } = await history(messages(), mishap, 0);
    expect(trace.length).toBeGreaterThan(30);
    let followed = 0;
    let skipped = 0;
    for (let call = 1; call <= trace.length; call += 1) {
      if (twins && breaksTop(mishap, trace, call)) {
        skipped += 1;
        continue;
      }
      const { observed, numbering } = await history(messages(), mishap, call);
      const conformance = conforms(numbering, observed);
      const last = observed.slice(Math.max(0, conformance.followed - 2), conformance.followed + 1);
      expect(conformance.accepted, `call ${call}: the model cannot do the last of\n${last.join('\n')}`).toBe(
        true,
      );
      followed += observed.length;
    }
    // Each history has at least an intent, an object, an event, a record and a removal.
    expect(followed).toBeGreaterThan(5 * (trace.length - skipped));
    expect(skipped).toBeLessThan(trace.length / 4);
  });
});

describe('the model refuses', () => {
  const clean = () => history(MAILBOXES[0]?.messages() ?? [], 'kill before', 0);

  it('a history that leaves out any of its steps', async () => {
    const { observed, numbering } = await clean();
    expect(conforms(numbering, observed).accepted).toBe(true);
    for (let at = 1; at < observed.length - 1; at += 1) {
      const shortened = observed.filter((_, index) => index !== at);
      expect(conforms(numbering, shortened).accepted, `without step ${at}: ${observed[at]}`).toBe(false);
    }
  });

  it('a history in which two steps have changed places', async () => {
    const { observed, numbering } = await clean();
    for (let at = 1; at < observed.length - 1; at += 1) {
      const swapped = [...observed];
      [swapped[at], swapped[at + 1]] = [observed[at + 1] ?? '', observed[at] ?? ''];
      expect(conforms(numbering, swapped).accepted, `steps ${at} and ${at + 1}`).toBe(false);
    }
  });
});
