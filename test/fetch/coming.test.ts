import { describe, expect, it } from 'vitest';
import { mailboxFailure } from '../../lib/fetch/coming.ts';
import { Tally } from '../../lib/fetch/runContext.ts';
import { troubleOf } from '../../lib/fetch/trouble.ts';
import { Pop3Error, type Pop3Facts } from '../../lib/pop3/errors.ts';
import { mailboxNamed } from './world.ts';

const mailbox = mailboxNamed('inbox', {});

function paceOf(facts: Partial<Pop3Facts>): string {
  const usual = { kind: 'lost', phase: 'sign-in', command: 'PASS', bytesIn: 0, bytesOut: 0 } as const;
  const error = new Pop3Error('It failed.', { ...usual, code: 'E_POP3_EOF', ...facts });
  const failing = { mailbox, tally: new Tally(), secretMark: undefined, renewed: false };
  return mailboxFailure(error, troubleOf(error, mailbox.id), failing).pace;
}

describe('how long a mailbox waits where a sign-in', () => {
  it.each<[string, Partial<Pop3Facts>, string]>([
    ['was cut off in the answer to PASS', { code: 'E_POP3_EOF' }, 'refusal'],
    ['was reset there', { code: 'E_POP3_RESET' }, 'refusal'],
    ['was answered in no POP3', { kind: 'broken', code: 'E_POP3_NOT_POP3' }, 'refusal'],
    ['was not answered in time', { code: 'E_POP3_TIMEOUT' }, 'throttle'],
    ['was not answered in what the session had', { code: 'E_POP3_DEADLINE' }, 'throttle'],
    ['was cut off at USER', { code: 'E_POP3_EOF', command: 'USER' }, 'trouble'],
    ['was not answered at USER', { code: 'E_POP3_TIMEOUT', command: 'USER' }, 'trouble'],
    ['was sent nothing of', { kind: 'broken', code: 'E_POP3_UNSOLICITED', unsent: true }, 'trouble'],
    ['did not come about', { code: 'E_POP3_TIMEOUT', phase: 'greeting', command: undefined }, 'trouble'],
  ])('%s', (_, facts, pace) => {
    expect(paceOf(facts)).toBe(pace);
  });
});
