import { expect } from 'vitest';
import { letter } from '../fetch/world.ts';
import { mail, type ScriptedMessage } from '../servers/scripted.ts';
import { answers, commandsOf, DELETES, five, type Group, hangsUp, once } from './quirk.ts';

let away: ScriptedMessage[] = [];

export const DELETING: Group = {
  name: 'DELE, QUIT and UPDATE',
  ids: 'D-01 D-02 D-03 D-04 D-05 D-06 D-07 D-08 D-09 D-10 D-12 D-16 D-17',
  tried: [
    {
      ids: ['D-01', 'D-09'],
      when: 'QUIT is lost, and no delete takes effect: they are asked for again by record',
      world: { settings: DELETES, faults: [hangsUp('QUIT', { ineffective: true, ...once })] },
      outcome: {
        retrieved: 5,
        first: { deletions: { committed: 0 } },
        last: { deletions: { committed: 5 } },
      },
    },
    {
      ids: ['D-02'],
      when: 'QUIT is not answered, and the deletes took effect',
      world: { settings: DELETES, faults: [hangsUp('QUIT', once)] },
      outcome: {
        first: { outcome: 'done', error: null },
        last: { counts: { listed: 0 } },
        says: /QUIT was not answered well/,
      },
    },
    {
      ids: ['D-03'],
      when: 'QUIT takes forty seconds',
      world: { settings: DELETES, faults: [{ verb: 'QUIT', delayMs: 66 }] },
      hurried: true,
      runs: 1,
      outcome: { last: { outcome: 'done', deletions: { committed: 5 } } },
    },
    {
      ids: ['D-04', 'P-04', 'D-17'],
      when: 'DELE and QUIT are accepted, and all mail is still there',
      world: { settings: DELETES, behaviour: { deletes: 'ignored' } },
      runs: 4,
      outcome: {
        retrieved: 5,
        left: 5,
        last: {
          counts: { listed: 5, alreadyStored: 5 },
          deletions: { requested: 0 },
          error: { code: 'E_POP3_DELETES_IGNORED', kind: 'person' },
        },
      },
    },
    {
      ids: ['D-05'],
      when: 'the line is gone when DELE is sent',
      world: { settings: DELETES, faults: [hangsUp('DELE', once)] },
      outcome: { retrieved: 5 },
    },
    {
      ids: ['D-06', 'P-07'],
      when: 'the DELE of one message ends the connection, each time',
      world: { settings: DELETES, faults: [hangsUp('DELE', { uidl: 'c' })] },
      runs: 8,
      outcome: { left: 1, last: { counts: { listed: 1, setAside: 1 } } },
    },
    {
      ids: ['D-06', 'K-02'],
      when: 'the DELE of one message is refused, each time',
      world: {
        settings: DELETES,
        faults: [answers('DELE', '-ERR locked\r\n', { uidl: 'c', ineffective: true })],
      },
      runs: 3,
      outcome: { left: 1, retrieved: 5, says: /refused to delete/ },
    },
    {
      ids: ['D-07'],
      when: 'mail is not listed for a while, and then again',
      world: {},
      runs: 4,
      between: ({ server: { messages } }, run) => {
        if (run === 2) away = messages.splice(0, 5);
        if (run === 4) messages.push(...away);
      },
      outcome: { retrieved: 5, last: { counts: { listed: 5, alreadyStored: 5 } } },
    },
    {
      ids: ['D-10', 'I-01'],
      when: 'numbers are those of other messages in the next session',
      world: { settings: DELETES, faults: [hangsUp('QUIT', { ineffective: true, ...once })] },
      between: ({ server: { messages } }) => {
        messages.reverse();
        messages.unshift(mail('new', letter('new')));
      },
      outcome: { retrieved: 6 },
    },
    {
      ids: ['D-12', 'P-02'],
      when: 'the server hides at QUIT what was retrieved, and one message is cut',
      world: { behaviour: { hides: 'at QUIT' }, faults: [{ verb: 'RETR', uidl: 'c', cutAt: 60, ...once }] },
      runs: 3,
      outcome: { left: 5 },
    },
    {
      ids: ['D-12', 'P-02', 'P-04'],
      when: 'the server hides at once what was retrieved',
      world: { behaviour: { hides: 'at RETR' }, settings: DELETES },
      runs: 3,
      outcome: {},
    },
    {
      ids: ['D-08'],
      when: 'the server removes what was marked though the line is dropped',
      world: {
        settings: DELETES,
        behaviour: { deletes: 'at disconnect' },
        faults: [hangsUp('RETR', { uidl: 'd', ...once })],
      },
      runs: 3,
      outcome: {
        check: (world) => {
          // Each DELE stands behind a RETR of the same session, or is by record.
          expect(commandsOf(world).filter((line) => line.startsWith('DELE')).length).toBeGreaterThanOrEqual(
            5,
          );
          expect(world.server.removals).toHaveLength(5);
        },
      },
    },
    {
      ids: ['D-16'],
      when: 'the first messages are refused, and newer ones are not delayed by it',
      world: {
        messages: five(),
        settings: DELETES,
        faults: ['a', 'b', 'c'].map((uidl) => answers('RETR', '-ERR no\r\n', { uidl })),
      },
      runs: 1,
      outcome: { stored: 2, left: 3 },
    },
  ],
  shown: [
    {
      ids: ['D-08'],
      by: [
        { file: 'test/fetch/mishaps.test.ts', title: '%s, at every call of a run over three messages' },
        { file: 'test/crash/command.test.ts', title: 'does it all in one run when nobody kills it' },
      ],
    },
  ],
  left: [],
};
