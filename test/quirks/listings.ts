import { expect } from 'vitest';
import { letter } from '../fetch/world.ts';
import { mail, type ScriptedMessage } from '../servers/scripted.ts';
import { answers, commandsOf, DELETES, five, type Group, once } from './quirk.ts';

const named = (uidls: readonly string[]): ScriptedMessage[] =>
  uidls.map((uidl, at) => mail(uidl, letter(`m${at}`)));

const ODD_IDS = [
  'x'.repeat(71),
  'y'.repeat(500),
  'z'.repeat(1024),
  '\xe9\xff\x01',
  'a b  c',
  '../x',
  'a//b',
  '.',
  'a#?%2f+',
  '1',
];
const SIZES = ['%!d(float64=5461)', '', '-1', 'many', 5_000_000_000, 2 ** 53];
const WITHOUT_UIDL = { withoutUidl: true, capabilities: ['TOP', 'USER'] };

export const LISTINGS: Group = {
  name: 'STAT, LIST and UIDL',
  ids: 'L-01 L-03 L-04 L-05 L-06 L-07 L-08 L-09 L-10 L-12 L-14 L-15',
  tried: [
    {
      ids: ['L-01'],
      when: 'there is no mail',
      world: { messages: [], settings: DELETES },
      outcome: { last: { outcome: 'done', counts: { listed: 0 } } },
    },
    {
      ids: ['L-03', 'I-10', 'P-11'],
      when: 'ids are long, 8-bit, spaced, or look like paths',
      world: { messages: named(ODD_IDS), settings: DELETES },
      outcome: {
        check: async (world) => {
          for (const key of (await world.objects()).keys())
            expect(key).toMatch(/^mail\/inbox\/[0-9a-f]{32}\.eml$/);
        },
      },
    },
    {
      ids: ['L-03'],
      when: 'ids are longer than 1 KiB, and differ in their last byte alone',
      world: {
        messages: named(['short', `${'x'.repeat(2000)}a`, `${'x'.repeat(2000)}b`]),
        settings: DELETES,
      },
      outcome: {},
    },
    {
      ids: ['P-11'],
      when: 'several blanks stand before an id, and TOP is cut',
      world: {
        settings: DELETES,
        faults: [
          answers('UIDL', '+OK\r\n1   a\r\n2 \tb\r\n3 c\r\n4 d\r\n5 e\r\n.\r\n', { args: '', times: 2 }),
        ],
      },
      outcome: {},
    },
    {
      ids: ['L-04'],
      when: 'some rows have no id',
      world: { messages: [...named(['', 'n']), mail('', letter('x'))], settings: DELETES },
      outcome: {},
    },
    {
      ids: ['L-04'],
      when: 'UIDL leaves a message out, and has none for it when it is asked alone',
      world: {
        settings: DELETES,
        faults: [
          answers('UIDL', '+OK\r\n1 a\r\n2 b\r\n4 d\r\n5 e\r\n.\r\n', { args: '' }),
          answers('UIDL', '+OK 3\r\n', { args: '3' }),
        ],
      },
      runs: 1,
      outcome: { last: { counts: { listed: 5, stored: 5 } } },
    },
    {
      ids: ['L-05'],
      when: 'one id is that of several messages',
      world: { messages: [mail('abc', letter('x')), mail('abc', letter('y')), ...five()], settings: DELETES },
      runs: 3,
      outcome: {},
    },
    {
      ids: ['L-06', 'I-06'],
      when: 'there is no UIDL, and mail is deleted once it is stored',
      world: { behaviour: WITHOUT_UIDL, settings: DELETES },
      outcome: { retrieved: 5 },
    },
    {
      ids: ['L-06', 'I-06'],
      when: 'there is no UIDL, and DELE is ignored',
      world: { behaviour: { ...WITHOUT_UIDL, deletes: 'ignored' }, settings: DELETES },
      runs: 4,
      outcome: { retrieved: 5, left: 5 },
    },
    {
      ids: ['L-06'],
      when: 'there is no UIDL, and mail is kept',
      world: { behaviour: WITHOUT_UIDL },
      outcome: { stored: 0, retrieved: 0, says: /set delete to when-stored/ },
    },
    {
      ids: ['L-07', 'P-13'],
      when: 'UIDL has a number that LIST lacks, and the other way round',
      world: {
        settings: DELETES,
        faults: [
          answers('LIST', '+OK\r\n1 54\r\n2 54\r\n3 54\r\n4 54\r\n.\r\n', { args: '', ...once }),
          answers('UIDL', '+OK\r\n1 e\r\n.\r\n', { args: '', session: 2, ...once }),
        ],
      },
      runs: 3,
      outcome: { first: { counts: { listed: 4, stored: 4 } }, says: /left to another run/ },
    },
    {
      ids: ['L-08', 'L-15'],
      when: 'totals are of no use',
      world: { settings: DELETES, faults: [answers('STAT', '+OK 20437 -1794967296\r\n')] },
      outcome: { never: /^STAT/ },
    },
    {
      ids: ['L-09', 'L-08'],
      when: 'sizes are garbage: unknown, so that mail is stored and stays',
      world: { messages: SIZES.map((size, at) => mail(`s${at}`, letter(`m${at}`), size)), settings: DELETES },
      outcome: { left: SIZES.length },
    },
    {
      ids: ['L-14', 'L-09'],
      when: 'LIST says less than RETR gives',
      world: {
        messages: [mail('zero', letter('x'), 0), mail('less', letter('y'), 20), ...five()],
        settings: DELETES,
      },
      outcome: {},
    },
    {
      ids: ['L-10'],
      when: 'UIDL of one message leaves out its number',
      world: {
        settings: DELETES,
        faults: ['a', 'b', 'c', 'd', 'e'].map((uidl) => answers('UIDL', `+OK ${uidl}\r\n`, { uidl })),
      },
      runs: 3,
      outcome: {
        check: (world) => expect(commandsOf(world).filter((line) => /^UIDL \d/.test(line))).toHaveLength(1),
      },
    },
    {
      ids: ['L-10'],
      when: 'UIDL of one message is answered by the whole listing',
      world: {
        settings: DELETES,
        faults: ['1', '2', '3', '4', '5'].map((args) =>
          answers('UIDL', '+OK\r\n1 a\r\n2 b\r\n3 c\r\n4 d\r\n5 e\r\n.\r\n', { args }),
        ),
      },
      runs: 3,
      outcome: {},
    },
    {
      ids: ['L-10'],
      when: 'LIST of one message is not needed where UIDL of one works',
      world: {
        settings: DELETES,
        faults: ['1', '2', '3', '4', '5'].map((args) => answers('LIST', '+OK 5 messages\r\n', { args })),
      },
      outcome: { never: /^LIST \d/ },
    },
    {
      ids: ['L-12', 'R-01'],
      when: 'every byte comes by itself',
      world: { settings: DELETES, faults: [{ pieces: [1] }] },
      outcome: { first: { outcome: 'done' } },
    },
  ],
  shown: [
    {
      ids: ['L-12', 'R-01'],
      by: [{ file: 'test/pop3/splits.test.ts', title: 'reaches the client in many pieces' }],
    },
  ],
  left: [],
};
