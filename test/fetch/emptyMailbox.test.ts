import { expect, it } from 'vitest';
import { mail } from '../servers/scripted.ts';
import { letter, World } from './world.ts';

const REFUSED = '-ERR no messages\r\n';
const refusals = (...verbs: string[]) => verbs.map((verb) => ({ verb, args: '', reply: REFUSED }));

it.each([['UIDL', 'LIST'], ['LIST'], ['UIDL']])(
  'an empty mailbox of which the server lists nothing, and says so by -ERR to %s, is empty',
  async (...verbs) => {
    const world = new World({ messages: [], faults: refusals(...verbs) });
    for (let polls = 0; polls < 2; polls += 1)
      expect(await world.run()).toMatchObject({ outcome: 'done', error: null, counts: { listed: 0 } });
  },
);

it('a mailbox that STAT says has mail is not empty, whatever else is refused', async () => {
  const world = new World({ messages: [mail('a', letter('a'))], faults: refusals('UIDL', 'LIST') });
  const report = await world.run();
  expect(report).toMatchObject({ outcome: 'failed', error: { phase: 'list' } });
  expect(report.error?.message).toContain('no messages');
});

it('a server that does not know STAT is believed in nothing', async () => {
  const faults = [...refusals('UIDL', 'LIST'), { verb: 'STAT', reply: '-ERR unknown command\r\n' }];
  const world = new World({ messages: [], faults });
  expect(await world.run()).toMatchObject({ outcome: 'failed', error: { phase: 'list' } });
});
