import { describe, expect, it } from 'vitest';
import { parseJob } from '../../functions/job.ts';

const JOB = { v: 1, bundle: 'b7', slot: '2026-11-25T12:00:00Z', mailboxes: ['support', 'billing'] };

describe('a job', () => {
  it('is read as it was written', () => {
    expect(parseJob(JSON.stringify(JOB))).toEqual(JOB);
    expect(parseJob(JSON.stringify({ ...JOB, suspects: true }))).toEqual({ ...JOB, suspects: true });
  });

  it.each([
    ['text', 'hello', 'the body is not JSON'],
    ['another version', { ...JOB, v: 2 }, 'v: '],
    ['an unknown key', { ...JOB, urgent: true }, 'job: '],
    ['no mailboxes', { ...JOB, mailboxes: [] }, 'mailboxes: '],
    ['an id that would leave the prefix', { ...JOB, mailboxes: ['../x'] }, 'mailboxes.0: '],
    ['a slot that is no time', { ...JOB, slot: 'noon' }, 'slot: '],
    ['a list', [JOB], 'job: '],
  ])('of %s is refused in words', (_what, body, words) => {
    const parsed = parseJob(typeof body === 'string' ? body : JSON.stringify(body));
    expect('problems' in parsed && parsed.problems.join('\n')).toContain(words);
  });
});
