/** Huge mailboxes, identity, and dates. */
import { expect } from 'vitest';
import { letter } from '../fetch/world.ts';
import { bytesOf, mail } from '../servers/scripted.ts';
import { DELETES, five, type Group } from './quirk.ts';

const TRACED = ['a', 'b', 'c'].map((name) => mail(name, `Received: from x; ${name}\r\n${letter(name)}`));
const dated = (name: string, date: string) => mail(name, `Date: ${date}\r\n${letter(name)}`);

export const HUGE: Group = {
  name: 'huge mailboxes',
  ids: 'H-01 H-02 H-03 H-04 H-06 H-07 H-08',
  tried: [],
  shown: [
    {
      ids: ['H-01'],
      by: [
        {
          file: 'test/pop3/answers.test.ts',
          title: 'over the cap keeps the first so many, drains the rest and says so',
        },
        { file: 'test/large/mailbox.test.ts', title: 'bytes for each listed message' },
      ],
    },
    {
      ids: ['H-02'],
      by: [{ file: 'test/large/mailbox.test.ts', title: 'is polled by one read of its head and no write' }],
    },
    {
      ids: ['H-03'],
      by: [
        { file: 'test/fetch/time.test.ts', title: 'puts on record what is stored, and begins nothing new' },
      ],
    },
    {
      ids: ['H-04'],
      by: [{ file: 'test/large/memory.test.ts', title: 'is the same for 1 GB as for 10 MB, into a folder' }],
    },
    {
      ids: ['H-06'],
      by: [
        { file: 'test/crash/command.test.ts', title: 'does it all in one run when nobody kills it' },
        {
          file: 'test/fetch/run.test.ts',
          title: 'announces again, with the same ids, when the state was lost, and stores nothing twice',
        },
      ],
    },
    {
      ids: ['H-07'],
      by: [
        {
          file: 'test/mailbox/stateFile.test.ts',
          title: 'drops a record only when every sweep of four weeks has missed it',
        },
      ],
    },
    {
      ids: ['H-08'],
      by: [{ file: 'test/pop3/deadlines.test.ts', title: 'may take minutes before its first row' }],
    },
  ],
  left: [],
};

export const IDENTITY: Group = {
  name: 'identity and duplicates',
  ids: 'I-01 I-02 I-03 I-06 I-07 I-09 I-10',
  tried: [
    {
      ids: ['I-01', 'D-10'],
      when: 'the oldest message is deleted by hand',
      world: {},
      between: ({ server: { messages } }) => {
        messages.shift();
      },
      outcome: { retrieved: 5, left: 4 },
    },
    {
      ids: ['I-02'],
      when: 'all ids change, twice',
      world: {},
      runs: 4,
      between: ({ server: { messages } }, run) => {
        messages.splice(0, 5, ...messages.map((message) => mail(`${message.uidl}${run}`, bytesOf(message))));
      },
      outcome: { retrieved: 20, events: 5, says: /new UIDLs/ },
    },
    {
      ids: ['I-02', 'D-04'],
      when: 'all ids change where DELE is ignored',
      world: { messages: TRACED, settings: DELETES, behaviour: { deletes: 'ignored' } },
      between: ({ server: { messages } }) => {
        messages.splice(0, 3, ...TRACED.map((message) => mail(`${message.uidl}-2`, bytesOf(message))));
      },
      outcome: { events: 3, left: 3 },
    },
    {
      ids: ['I-03'],
      when: 'an id is given again, to mail of another size and of the very same',
      world: { settings: DELETES },
      runs: 3,
      between: ({ server: { messages } }, run) => {
        messages.push(mail('a', letter(`z${run}`)));
        if (run === 2) messages.push(mail('b', letter('y')));
      },
      outcome: { stored: 8 },
    },
    {
      ids: ['I-07'],
      when: 'one mail is there twice under two ids',
      world: { messages: [...five(), mail('again', letter('a'))] },
      outcome: { stored: 6 },
    },
  ],
  shown: [
    {
      ids: ['I-07', 'I-09'],
      by: [{ file: 'test/mailbox/names.test.ts', title: 'differ where mailbox, UIDL or content differ' }],
    },
  ],
  left: [],
};

export const DATES: Group = {
  name: 'dates and time zones',
  ids: 'T-01 T-03 T-04 T-06 T-07',
  tried: [
    {
      ids: ['T-01', 'T-06', 'T-07'],
      when: 'dates are years ago, far ahead, or none',
      world: {
        messages: [
          dated('old', 'Tue, 24 Jul 2007 18:55:07 +0000'),
          dated('far', 'Fri, 31 Dec 9999 23:59:59 +0000'),
          dated('none', 'not a date'),
        ],
      },
      outcome: {
        check: async (world) => {
          for (const key of (await world.objects()).keys())
            expect(key).toMatch(/^mail\/inbox\/[0-9a-f]{32}\.eml$/);
          const none = world.publisher.stored.find(({ uidl }) => uidl === 'none');
          expect(none?.headers).toMatchObject({ date: null, dateRaw: 'not a date' });
        },
      },
    },
  ],
  shown: [
    {
      ids: ['T-01'],
      by: [
        {
          file: 'test/mail/dates.test.ts',
          title: 'what is no date is null, never now, and stays as it was written',
        },
      ],
    },
    {
      ids: ['T-03'],
      by: [
        {
          file: 'test/mail/dates.test.ts',
          title: 'dates without a zone that means anything are taken for UTC and say so',
        },
      ],
    },
    { ids: ['T-04'], by: [{ file: 'test/mail/dates.test.ts', title: 'dates with a zone' }] },
  ],
  left: [],
};
