/** Every step of a run at which its process is killed: c0 to c12, each before it has its effect and after. */
import type { KillAt } from './killFiles.ts';
import { LARGE_AT, SMALL } from './mailForTrials.ts';
import type { Place } from './trap.ts';

/** All messages of a trial are one batch, so a kill between the announcement and its commit repeats all of them. */
const BATCH = SMALL.length + 1;

interface Row {
  readonly row: string;
  readonly what: string;
  /** Announcements that may be made a second time. */
  readonly repeats: number;
}

export interface Step extends Row {
  readonly at: Place;
}

/** `path` of a call: {mailbox} and {large}, the key of the message that goes up in parts, are filled in. */
export interface FileStep extends Row {
  readonly at: KillAt;
}

function step(row: string, what: string, at: Place, repeats = 0): Step {
  return { row, what, at, repeats };
}

/** Seen on the line to the POP3 server. */
export const POP3_STEPS: readonly Step[] = [
  step('c0', 'before the sign-in', { moment: 'PASS before' }),
  step('c0', 'after the sign-in', { moment: 'UIDL before' }),
  step('c1', 'before the first RETR', { moment: 'RETR before' }),
  step('c2', 'within the first message', { moment: 'RETR body' }),
  step('c2', 'within the message that goes up in parts', { moment: 'RETR body', nth: LARGE_AT + 1 }),
  step('c2', 'after the first message, before its fence', { moment: 'RETR whole' }),
  step('c3', 'after the last message', { moment: 'RETR whole', nth: BATCH }),
  step('c11', 'before the first DELE', { moment: 'DELE before' }),
  step('c11', 'after the first DELE', { moment: 'DELE answered' }),
  step('c11', 'between DELEs', { moment: 'DELE before', nth: 3 }),
  step('c12', 'before QUIT', { moment: 'QUIT before' }),
  step('c12', 'after QUIT, its answer lost', { moment: 'QUIT answered' }),
];

/** Seen on the line to the S3 server and to the bus. */
export const S3_STEPS: readonly Step[] = [
  step('c1', 'before the intents are written', { moment: 'PUT state before' }),
  step('c1', 'after the intents are written', { moment: 'PUT state answered' }),
  step('c3', 'before the first PUT', { moment: 'PUT mail before' }),
  step('c4', 'after the first PUT', { moment: 'PUT mail answered' }),
  step('c4', 'after the last PUT', { moment: 'PUT mail answered', nth: SMALL.length }),
  step('c5', 'after the upload is begun', { moment: 'begin upload answered' }),
  step('c5', 'after the first part', { moment: 'part answered' }),
  step('c5', 'after the last part', { moment: 'Complete before' }),
  step('c6', 'after Complete', { moment: 'Complete answered' }),
  step('c7', 'before PutEvents', { moment: 'PutEvents before' }),
  step('c8', 'after PutEvents', { moment: 'PutEvents answered' }, BATCH),
  step('c9', 'before the records are written', { moment: 'PUT state before', nth: 2 }, BATCH),
  step('c10', 'after the records are written', { moment: 'PUT state answered', nth: 2 }),
  step('c12', 'before the end is written down', { moment: 'PUT state before', nth: 3 }),
  step('c12', 'after the end is written down', { moment: 'PUT state answered', nth: 3 }),
];

function fileStep(row: string, what: string, at: KillAt, repeats = 0): FileStep {
  return { row, what, at, repeats };
}

const STATE = '/state/{mailbox}.json/';
const MAIL = '/mail/{mailbox}/';
const EVENTS = '/events.ndjson';

/** Seen in the process's calls to the file system. */
export const FILE_STEPS: readonly FileStep[] = [
  fileStep('c1', 'before the intents are written', { call: 'link', path: STATE, nth: 1, when: 'before' }),
  fileStep('c1', 'after the intents are written', { call: 'link', path: STATE, nth: 1, when: 'after' }),
  fileStep('c3', 'within a file that is not finished', {
    call: 'write',
    path: '/.tmp/',
    nth: 2,
    when: 'within',
  }),
  fileStep('c3', 'before the first link', { call: 'link', path: MAIL, nth: 1, when: 'before' }),
  fileStep('c4', 'after the first link', { call: 'link', path: MAIL, nth: 1, when: 'after' }),
  fileStep('c4', 'after the last link', { call: 'link', path: MAIL, nth: BATCH, when: 'after' }),
  fileStep('c5', 'before the large one is linked', { call: 'link', path: '{large}', nth: 1, when: 'before' }),
  fileStep('c6', 'after the large one is linked', { call: 'link', path: '{large}', nth: 1, when: 'after' }),
  fileStep('c7', 'before the events are written', { call: 'write', path: EVENTS, nth: 1, when: 'before' }),
  fileStep('c7', 'within the first event', { call: 'write', path: EVENTS, nth: 1, when: 'within' }),
  fileStep(
    'c8',
    'before the events are synced',
    { call: 'sync', path: EVENTS, nth: 1, when: 'before' },
    BATCH,
  ),
  fileStep('c8', 'after the events are synced', { call: 'sync', path: EVENTS, nth: 1, when: 'after' }, BATCH),
  fileStep(
    'c9',
    'before the records are written',
    { call: 'link', path: STATE, nth: 2, when: 'before' },
    BATCH,
  ),
  fileStep('c10', 'after the records are written', { call: 'link', path: STATE, nth: 2, when: 'after' }),
  fileStep('c12', 'before the end is written down', { call: 'link', path: STATE, nth: 3, when: 'before' }),
  fileStep('c12', 'after the end is written down', { call: 'link', path: STATE, nth: 3, when: 'after' }),
];

/** Titles in a table of steps. */
export function titled<S extends Row>(steps: readonly S[]): readonly (readonly [string, S])[] {
  return steps.map((one) => [`${one.row}: ${one.what}`, one]);
}
