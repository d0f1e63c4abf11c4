import { describe, expect, it } from 'vitest';
import { emptyHead } from '../../lib/mailbox/state.ts';
import { isAside } from './aside.ts';
import type { Message } from './messages.ts';
import { wasQuiet } from './quiet.ts';
import type { Stage } from './runs.ts';
import { aside, Scene } from './scene.ts';

/** A mailbox that lists these, with one message set aside by that name. */
function stageOf(scene: Scene, present: readonly Message[], name: object): Stage {
  scene.ledger.head = { ...emptyHead('inbox'), failures: [aside(name)] };
  const manners = { top: 'headers', deletes: 'at QUIT', uidlOfOne: true, listOfOne: true };
  const world = { ledger: scene.ledger };
  return { world, maildrop: { manners, present }, circumstances: { deletes: false } } as unknown as Stage;
}

describe('a message counts as set aside', () => {
  const scene = new Scene();
  const { message } = scene;
  const size = message.listSize;
  const twin = scene.offer(2, 'u1', 'Message-ID: <2@example.org>\r\n\r\ntwo\r\n');

  it.each([
    ['by its size alone, where its UIDL is unique', [message], { size }, true],
    ['but not by another size', [message], { size: 7 }, false],
    ['nor by the name from before a twin joined it', [message, twin], { size }, false],
    ['but by its header then', [message, twin], { size, headerHash: message.topHash }, true],
    ['nor by that header once the twin is gone', [message], { size, headerHash: message.topHash }, false],
  ])('%s', (_how, present, name, expected) => {
    expect(isAside(stageOf(scene, present, name), message)).toBe(expected);
  });
});

it('A run that failed is not quiet, though the store has overwritten an object', () => {
  const scene = new Scene();
  scene.ledger.overwritten.add('any');
  const stage = stageOf(scene, [], {});
  const counts = { listed: 2, failed: 0, notReached: 2 };
  const report = { outcome: 'failed', counts } as never;
  expect(wasQuiet(stage, { ...scene.ledger.counts }, report)).toBe(false);
});
