import { describe, expect, it } from 'vitest';
import type { MailferryEvent } from '../../lib/events/shapes.ts';
import { emptyHead } from '../../lib/mailbox/state.ts';
import { mailboxFailing } from '../events/samples.ts';
import type { Terms } from './ledger.ts';
import type { Poison } from './messages.ts';
import { atQuit } from './oracles.ts';
import { checkAsked } from './policyOracle.ts';
import { aside, PASSWORD, Scene } from './scene.ts';
import { checkState } from './stateOracle.ts';
import { atNews, atSignIn, checkNothingUnsaid } from './waitOracle.ts';

const FAILING = { failures: 3, sinceMs: 0, untilMs: 0, code: 'E_X', message: 'x' };

const failing = (id: string): MailferryEvent => ({
  detailType: 'Mailbox Failing',
  detail: { ...mailboxFailing('x').detail, id, since: new Date(0).toISOString() },
});

interface Case {
  readonly oracle: string;
  readonly hazard: string;
  readonly terms?: Partial<Terms>;
  readonly poison?: Poison;
  act(scene: Scene): void;
}

const CASES: readonly Case[] = [
  { oracle: 'I1 removal', hazard: 'DELE of what is not stored', act: (scene) => scene.dele() },
  {
    oracle: 'I1 removal',
    hazard: 'DELE under a policy that keeps',
    terms: { deletes: false },
    act: (scene) => {
      scene.settle();
      scene.dele();
    },
  },
  {
    oracle: 'I1 removal',
    hazard: 'DELE of mail that came short',
    act: (scene) => {
      scene.settle();
      scene.dele({ announced: 1_000 });
    },
  },
  {
    oracle: 'I1 removal',
    hazard: 'DELE on the word of a store that ignores conditions',
    terms: { storeTrusted: false },
    act: (scene) => {
      scene.settle();
      scene.dele();
    },
  },
  {
    oracle: 'I1 removal',
    hazard: 'a removed message whose object is gone',
    act: (scene) => {
      scene.ledger.remove({ message: scene.message, uidl: 'u1' });
      scene.end(emptyHead('inbox'), []);
    },
  },
  {
    oracle: 'I1 doubt',
    hazard: 'QUIT with a retrieved message that is not on record',
    act: (scene) => atQuit({ process: scene.process, slots: [scene.slot()], sinceMs: 0 }, scene.ledger),
  },
  {
    oracle: 'I2 announced',
    hazard: 'DELE of what was not announced',
    act: (scene) => {
      scene.store();
      scene.dele();
    },
  },
  {
    oracle: 'I2 announced',
    hazard: 'DELE before the bus was proved',
    act: (scene) => {
      scene.settle();
      scene.process.proved = false;
      scene.dele();
    },
  },
  {
    oracle: 'I3 object',
    hazard: 'a truncated object',
    act: (scene) => scene.store(Buffer.from('Message-ID')),
  },
  {
    oracle: 'I3 object',
    hazard: 'a key of another make',
    act: (scene) => scene.store(undefined, 'mail/inbox/7.eml'),
  },
  {
    oracle: 'I4 one object',
    hazard: 'the same message under two keys',
    act: (scene) => {
      scene.store();
      scene.store(undefined, `${scene.ledger.stemOf('u1')}-${scene.message.sha256}.eml`);
    },
  },
  { oracle: 'I5 event', hazard: 'an event before its object', act: (scene) => scene.announce() },
  {
    oracle: 'I6 record',
    hazard: 'DELE before the commit',
    act: (scene) => {
      scene.store();
      scene.announce();
      scene.dele();
    },
  },
  {
    oracle: 'I6 record',
    hazard: 'a record before its event',
    act: (scene) => {
      scene.store();
      scene.commit({ records: [scene.record] });
    },
  },
  {
    oracle: 'I6 state',
    hazard: 'a revision twice',
    act: (scene) => {
      scene.commit();
      scene.commit({ revision: 1 });
    },
  },
  { oracle: 'I6 state', hazard: 'no nonce', act: (scene) => scene.commit({ nonce: '' }) },
  {
    oracle: 'I6 state',
    hazard: 'half a document',
    act: ({ ledger }) => checkState(Buffer.from('{"revision":'), ledger),
  },
  {
    oracle: 'I6 segment',
    hazard: 'a head that names a segment which is not there',
    act: (scene) => scene.commit({ segments: [{ name: '1-a', records: 1, bytes: 1 }] }),
  },
  {
    oracle: 'I7 immutable',
    hazard: 'an object removed by us',
    act: (scene) => {
      scene.store();
      scene.bucket.remove(scene.key, 'us');
    },
  },
  {
    oracle: 'I8 announced',
    hazard: 'an object that was never announced',
    act: (scene) => {
      scene.store();
      scene.end(emptyHead('inbox'), []);
    },
  },
  {
    oracle: 'I9 event id',
    hazard: 'another id on a repeat',
    act: (scene) => {
      scene.store();
      scene.announce();
      scene.announce({ id: 'another' });
    },
  },
  {
    oracle: 'I10 binding',
    hazard: 'DELE with no RETR and no TOP in its session',
    act: (scene) => {
      scene.settle();
      scene.dele({ retrieved: false });
    },
  },
  {
    oracle: 'I10 binding',
    hazard: 'DELE of mail without UIDL by its headers',
    act: (scene) => {
      const message = scene.offer(2, '', 'Message-ID: <2@example.org>\r\n\r\ntwo\r\n');
      const key = `${scene.ledger.stemOf('')}-${message.sha256}.eml`;
      const { sha256, headerHash } = message;
      scene.store(message.bytes, key);
      scene.announce({ uidl: '', sha256, size: message.bytes.length, key });
      scene.commit({ records: [{ ...scene.record, uidl: '', sha256, headerHash }] });
      const slot = { message, uidl: '', announced: message.bytes.length };
      scene.dele(slot);
      expect(scene.ledger.violation).toBeNull();
      scene.dele({ ...slot, retrieved: false, topped: true });
    },
  },
  {
    oracle: 'I20 nameless',
    hazard: 'RETR of mail without UIDL that is kept on the server',
    terms: { deletes: false },
    act: (scene) => {
      const slot = scene.slot({ uidl: '' });
      checkAsked('RETR', { slot, slots: [slot] }, scene.ledger);
    },
  },
  {
    oracle: 'I3 object',
    hazard: 'a key that says there is no UIDL, and of what content it is neither',
    act: (scene) => scene.store(undefined, 'mail/inbox/nouidl.eml'),
  },
  {
    oracle: 'I11 secret',
    hazard: 'the password in an event',
    act: (scene) => {
      scene.store();
      scene.announce({ storedAt: PASSWORD });
    },
  },
  {
    oracle: 'I14 innocent',
    hazard: 'an innocent set aside',
    act: (scene) => scene.commit({ failures: [aside()] }),
  },
  {
    oracle: 'I16 waits',
    hazard: 'a scheduled run that signs in though the mailbox waits',
    act: (scene) => {
      scene.commit({ backOff: { ...FAILING, untilMs: 1_000 } });
      const visit = { beganMs: 1, honoursBackOff: true, suspects: 'after' } as const;
      atSignIn({ visit: { ...visit, honoursBackOff: false }, nowMs: 500 }, scene.ledger);
      atSignIn({ visit, nowMs: 1_000 }, scene.ledger);
      expect(scene.ledger.violation).toBeNull();
      atSignIn({ visit, nowMs: 999 }, scene.ledger);
    },
  },
  {
    oracle: 'I16 waits',
    hazard: 'a scheduled run that signs in before LOGIN-DELAY is over',
    act: (scene) => {
      scene.commit({ signedIn: { atMs: 0, delayMs: 1_000 } });
      const visit = { beganMs: 1, honoursBackOff: true, suspects: 'only' } as const;
      atSignIn({ visit, nowMs: 999 }, scene.ledger);
      expect(scene.ledger.violation).toBeNull();
      atSignIn({ visit: { ...visit, suspects: 'never' }, nowMs: 999 }, scene.ledger);
    },
  },
  {
    oracle: 'I17 news',
    hazard: 'news that the state did not have to say',
    act: (scene) => atNews(failing('one'), scene.ledger),
  },
  {
    oracle: 'I17 news',
    hazard: 'news under two ids',
    act: (scene) => {
      scene.commit({ backOff: { ...FAILING, told: 'due' } });
      atNews(failing('one'), scene.ledger);
      atNews(failing('one'), scene.ledger);
      expect(scene.ledger.violation).toBeNull();
      atNews(failing('another'), scene.ledger);
    },
  },
  {
    oracle: 'I17 news',
    hazard: 'news that counts as told and was not',
    act: (scene) => scene.commit({ backOff: { ...FAILING, told: 'accepted' } }),
  },
  {
    oracle: 'I17 news',
    hazard: 'a mailbox that works again, with nothing left to say of it',
    act: (scene) => {
      scene.commit({ backOff: { ...FAILING, told: 'due' } });
      scene.commit();
    },
  },
  {
    oracle: 'L4 news',
    hazard: 'news that nobody ever told',
    act: ({ ledger }) =>
      checkNothingUnsaid({ ...emptyHead('inbox'), recovered: { sinceMs: 0, atMs: 1 } }, ledger),
  },
  { oracle: 'L1 arrives', hazard: 'mail that never arrives', act: (scene) => scene.end(emptyHead('inbox')) },
  {
    oracle: 'L1 arrives',
    hazard: 'mail that cannot be had, of which nobody is told',
    poison: 'retr',
    act: (scene) => scene.end(emptyHead('inbox')),
  },
  {
    oracle: 'L1 removal',
    hazard: 'stored mail that stays on the server',
    act: (scene) => {
      scene.settle();
      scene.end(emptyHead('inbox'));
    },
  },
];

describe('oracles of the simulation', () => {
  it.each(CASES)('$oracle fires at $hazard', ({ oracle, terms, poison, act }) => {
    const scene = new Scene(terms, poison);
    act(scene);
    expect(scene.ledger.violation?.oracle).toBe(oracle);
  });

  it('are silent where all is well', () => {
    const scene = new Scene();
    scene.settle();
    scene.dele();
    scene.dele({ retrieved: false, topped: true });
    atQuit({ process: scene.process, slots: [scene.slot()], sinceMs: 0 }, scene.ledger);
    scene.ledger.remove({ message: scene.message, uidl: 'u1' });
    scene.end(emptyHead('inbox'), []);
    expect(scene.ledger.violation).toBeNull();
  });

  it('excuse a set-aside for poison, and for as many accidents as there are attempts', () => {
    const poisoned = new Scene({}, 'retr');
    poisoned.commit({ failures: [aside()] });
    expect(poisoned.ledger.violation).toBeNull();
    const unlucky = new Scene();
    for (const name of ['p1', 'p2', 'p3']) unlucky.ledger.excuse(unlucky.message, name);
    unlucky.commit({ failures: [aside()] });
    expect(unlucky.ledger.violation).toBeNull();
  });
});
