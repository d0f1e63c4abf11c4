import { expect } from 'vitest';
import { letter } from '../fetch/world.ts';
import { mail } from '../servers/scripted.ts';
import { answers, commandsOf, DELETES, five, type Group, hangsUp, once } from './quirk.ts';

const BODIES = {
  'R-04': letter('dots', '..hidden\r\n...\r\n.\r\n.x\r\n'),
  'R-05': letter('bare', 'a\n.\nb\n.\r\nc\r.\r\nd\r\n'),
  'R-08': letter('blank', 'end\r\n\r\n\r\n\r\n'),
  'R-13': letter('wide', `${'w'.repeat(300_000)}\r\n`),
  'R-14': letter('nul', 'a\0b\0\r\n\0\r\n'),
  'R-15': letter('bytes', '\xff\xfe\x80\x81 caf\xe9\r\n'),
  'R-21': '',
};

export const RETRIEVING: Group = {
  name: 'RETR and framing',
  ids: 'R-01 R-02 R-03 R-04 R-05 R-08 R-09 R-10 R-11 R-12 R-13 R-14 R-15 R-18 R-19 R-20 R-21 R-23 R-24',
  tried: [
    {
      ids: Object.keys(BODIES),
      when: 'bodies have dots, bare LF, blank lines at the end, long lines, NUL, 8-bit, or nothing at all',
      world: { messages: Object.entries(BODIES).map(([id, text]) => mail(id, text)), settings: DELETES },
      outcome: {},
    },
    {
      ids: ['R-21'],
      when: 'a message has headers and no empty line',
      world: { messages: [mail('h', 'Message-ID: <h@example.org>\r\n')], settings: DELETES },
      outcome: {},
    },
    {
      ids: ['R-02'],
      when: 'a piece ends in a dot and CRLF that are no end',
      world: {
        messages: [mail('a', letter('a', 'see you soon.\r\nand later.\r\n')), ...five().slice(1)],
        settings: DELETES,
        faults: [
          {
            verb: 'RETR',
            uidl: 'a',
            pieces: [letter('a', 'see you soon.\r\n').length + '+OK 78 octets\r\n'.length, 1, 100],
          },
        ],
      },
      outcome: {},
    },
    {
      ids: ['R-03'],
      when: 'dots are not stuffed, and a mail cuts itself: it is never announced, and its neighbours are right',
      world: {
        messages: [mail('cut', letter('cut', 'x\r\n.\r\nand more\r\n')), ...five()],
        settings: DELETES,
        faults: [{ verb: 'RETR', stuffing: false }],
      },
      runs: 6,
      outcome: { stored: 5, left: 1, last: { counts: { listed: 1, stored: 0 } } },
    },
    {
      ids: ['R-09', 'P-07', 'P-09', 'D-16'],
      when: 'RETR of the first message is refused, each time',
      world: {
        messages: five(),
        faults: [answers('RETR', "-ERR can't get the letter 1, try again later\r\n", { uidl: 'a' })],
      },
      runs: 6,
      outcome: {
        stored: 4,
        first: { counts: { stored: 4, failed: 1 } },
        last: { counts: { setAside: 1, alreadyStored: 4 } },
      },
    },
    {
      ids: ['R-10', 'L-14'],
      when: 'less comes than was announced',
      world: { messages: [mail('short', letter('short'), 900_000), ...five()], settings: DELETES },
      outcome: {
        left: 1,
        says: /fewer octets/,
        check: (world) => expect(world.publisher.stored.filter(({ short }) => short)).toHaveLength(1),
      },
    },
    {
      ids: ['R-12', 'P-07'],
      when: 'the first message stalls for ever, each time',
      world: { settings: DELETES, faults: [{ verb: 'RETR', uidl: 'a', cutAt: 40, ending: 'stall' }] },
      hurried: true,
      runs: 7,
      outcome: { stored: 4, left: 1, last: { counts: { listed: 1 } } },
    },
    {
      ids: ['R-18', 'P-09'],
      when: 'lines come that no command asked for',
      world: {
        settings: DELETES,
        faults: [
          { verb: 'RETR', uidl: 'b', suffix: '+OK extra\r\n', ...once },
          { verb: 'TOP', suffix: 'more\r\n', ...once },
        ],
      },
      runs: 4,
      outcome: {},
    },
    {
      ids: ['R-20'],
      when: 'TOP sends the whole message, or is refused: mail is never fetched by it',
      world: { behaviour: { topIsWhole: true } },
      outcome: { never: /^TOP/ },
    },
    {
      ids: ['R-24', 'D-05'],
      when: 'the server ends each session at its third RETR',
      world: {
        settings: DELETES,
        faults: [1, 2, 3, 4, 5, 6].map((session) => hangsUp('RETR', { session, after: 2 })),
      },
      runs: 6,
      outcome: {},
    },
    {
      ids: ['R-19'],
      when: 'commands that come together are answered by hanging up, once',
      world: { settings: DELETES, faults: [hangsUp('LIST', { args: '', ...once })] },
      outcome: {
        says: /one message at a time for a week/,
        check: (world) => expect(commandsOf(world)).toContain('QUIT'),
      },
    },
  ],
  shown: [
    {
      ids: ['R-01'],
      by: [
        {
          file: 'test/pop3/framing.test.ts',
          title: 'is what the definition says, for any bytes in any chunks',
        },
      ],
    },
    {
      ids: ['R-03'],
      by: [
        { file: 'test/pop3/cuts.test.ts', title: 'the server goes on with the mail that it did not stuff' },
      ],
    },
    {
      ids: ['R-11', 'C-02'],
      by: [
        {
          file: 'test/pop3/cuts.test.ts',
          title: 'RETR on a line that ends too early is an error that says how much came',
        },
      ],
    },
    {
      ids: ['R-19'],
      by: [
        {
          file: 'test/fetch/pipelining.test.ts',
          title: 'is asked together again after an accident, once that had gone well',
        },
      ],
    },
    {
      ids: ['R-20'],
      by: [{ file: 'test/fetch/run.test.ts', title: 'retrieves again before deleting where TOP is refused' }],
    },
    {
      ids: ['R-23'],
      by: [
        {
          file: 'test/pop3/framing.test.ts',
          title: 'passes 16 MB in chunks of one byte, and work per byte does not grow',
        },
      ],
    },
  ],
  left: [],
};
