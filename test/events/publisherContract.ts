import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Envelope, envelope } from '../../lib/events/envelope.ts';
import { type Publisher, PublisherError } from '../../lib/events/port.ts';
import { DETAILS } from '../../lib/events/shapes.ts';
import { headerSummary, manyStored, messageSetAside, messageStored, runFinished } from './samples.ts';

export interface Fixture {
  readonly publisher: Publisher;
  /** What a consumer has seen, in the order of arrival. */
  received(): Promise<readonly Envelope[]>;
  /** Takes the destination away, so that nothing can be published any more until a person acts. */
  takeAway(): Promise<void>;
  stop(): Promise<void>;
}

/** What every publisher promises. */
export function publisherContract(
  name: string,
  expected: { durable: boolean; start: () => Promise<Fixture> },
): void {
  describe(`${name}: a publisher`, () => {
    let fixture: Fixture;
    beforeEach(async () => {
      fixture = await expected.start();
    });
    afterEach(() => fixture.stop());

    it('says truly whether an accepted event is safe', () => {
      expect(fixture.publisher.durable).toBe(expected.durable);
    });

    it('proves a destination that is there, and publishes nothing by it', async () => {
      await fixture.publisher.prove();
      expect(await fixture.received()).toEqual([]);
    });

    it('gives consumers the same words whatever the way', async () => {
      const events = [messageStored('a'), messageSetAside('b'), runFinished('r1')];
      expect(await fixture.publisher.publish(events)).toEqual(events.map(() => ({ accepted: true })));
      const received = await fixture.received();
      expect(received).toEqual(events.map(envelope));
      for (const { 'detail-type': detailType, detail } of received) DETAILS[detailType].parse(detail);
    });

    it.each([0, 1, 10, 11, 57])('answers once for each of %i events', async (count) => {
      const events = manyStored(count);
      expect(await fixture.publisher.publish(events)).toEqual(events.map(() => ({ accepted: true })));
      expect(names(await fixture.received())).toEqual(names(events.map(envelope)));
    });

    it('repeats an event under the same id', async () => {
      await fixture.publisher.publish([messageStored('a')]);
      await fixture.publisher.publish([messageStored('a')]);
      const [first, second, ...more] = await fixture.received();
      expect(second).toEqual(first);
      expect(more).toEqual([]);
    });

    it('keeps events of publishers that race apart and whole', async () => {
      const groups = Array.from({ length: 20 }, (_, group) => manyStored(13, `${group}-`));
      const results = await Promise.all(groups.map((group) => fixture.publisher.publish(group)));
      expect(results.flat()).toEqual(groups.flat().map(() => ({ accepted: true })));
      expect(names(await fixture.received())).toEqual(names(groups.flat().map(envelope)));
    });

    it('carries whatever a sender put into a subject or a name', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.string({ unit: 'binary' }),
          fc.string({ unit: 'grapheme' }),
          async (subject, name) => {
            const from = [{ name: `${name}\n\u2028\u0000"\\`, address: 'a@example.org' }];
            const event = messageStored('a', headerSummary({ subject, from }));
            expect(await fixture.publisher.publish([event])).toEqual([{ accepted: true }]);
            expect((await fixture.received()).at(-1)).toEqual(envelope(event));
          },
        ),
        { numRuns: 25 },
      );
    });

    it('lets no header summary stop an event, however large', async () => {
      const event = messageStored('a', headerSummary({ subject: '\u0001'.repeat(400_000) }));
      expect(await fixture.publisher.publish([event, messageStored('b')])).toEqual([
        { accepted: true },
        { accepted: true },
      ]);
      expect((await fixture.received())[0]).toHaveProperty('detail.headers', null);
    });

    it('rejects, and says what a person must do, when there is no destination any more', async () => {
      await fixture.takeAway();
      const error = await fixture.publisher.publish(manyStored(3)).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(PublisherError);
      expect(error).toMatchObject({ kind: 'person', code: expect.stringMatching(/^E_EVENTS_[A-Z_]+$/) });
      expect((error as PublisherError).message).toMatch(/\. [A-Z][^.]+\.$/);
    });
  });
}

/** Order across calls is not promised. */
function names(events: readonly Envelope[]): readonly string[] {
  return events.map(({ detail }) => ('uidl' in detail ? detail.uidl : detail.id)).sort();
}
