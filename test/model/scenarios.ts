/**
 * The scenarios: small worlds, each with the hazards of one kind, explored to their last state. Not in the model: more
 * than one batch, the bounds of the head and its segments, twins of the very same bytes, twins on whose TOP the line
 * breaks, renumbering, and objects that a consumer removes.
 */
import type { ModelMessage, Scenario } from './facts.ts';

const plain = (uidl: number, more: Partial<ModelMessage> = {}): ModelMessage => ({
  uidl,
  size: uidl,
  header: uidl,
  ...more,
});

const base = {
  workers: 1,
  faults: 1,
  attempts: 3,
  signIns: 2,
  deletes: 'when stored',
  commits: 'at QUIT',
  hides: 'never',
  late: false,
} as const;

const overlapping = { ...base, workers: 2, signIns: 1 } as const;

/** Another message under UIDL 0, as long as the first: only its header and its bytes tell them apart. */
const twin = (more: Partial<ModelMessage> = {}) => plain(0, { header: 7, ...more });
const reused = (more: Partial<ModelMessage> = {}) => twin({ arrives: { after: 0 }, ...more });
const vanishes = { vanishes: true } as const;

/** More faults than attempts could set an innocent message aside; fewer must not. */
export const SCENARIOS: readonly Scenario[] = [
  {
    ...base,
    name: 'plain',
    about: 'two messages, one run, three faults',
    messages: [plain(0), plain(1)],
    faults: 3,
    attempts: 4,
  },
  {
    ...overlapping,
    name: 'overlap',
    about: 'one message, two runs at once, two faults',
    messages: [plain(0)],
    faults: 2,
  },
  {
    ...overlapping,
    name: 'overlap of two',
    about: 'two messages, two runs at once',
    messages: [plain(0), plain(1)],
  },
  {
    ...overlapping,
    name: 'three workers',
    about: 'one message, three runs at once, none fails',
    messages: [plain(0)],
    workers: 3,
    faults: 0,
  },
  {
    ...base,
    name: 'collide',
    about: 'two messages under one UIDL, three faults',
    messages: [plain(0), twin()],
    faults: 3,
    attempts: 4,
  },
  {
    ...overlapping,
    name: 'collide, overlap',
    about: 'two messages under one UIDL, two runs at once, none fails',
    messages: [plain(0), twin()],
    faults: 0,
  },
  {
    ...overlapping,
    name: 'reuse',
    about: 'a UIDL used again for a message of the same size, two runs at once',
    messages: [plain(0), reused()],
  },
  {
    ...overlapping,
    name: 'vanish',
    about: 'removed by another client at any time, unanswered writes land late, two runs at once',
    messages: [plain(0, vanishes)],
    signIns: 2,
    late: true,
  },
  {
    ...base,
    name: 'vanish, reuse',
    about: 'removed by another client, its UIDL used again, two faults',
    messages: [plain(0, vanishes), reused(vanishes)],
    faults: 2,
  },
  {
    ...base,
    name: 'vanish, reuse, late',
    about: 'the same, another size, and unanswered writes land late',
    messages: [plain(0, vanishes), reused({ size: 9, ...vanishes })],
    faults: 2,
    late: true,
  },
  {
    ...base,
    name: 'vanish, reuse alike, late',
    about: 'the same, the same size',
    messages: [plain(0, vanishes), reused(vanishes)],
    faults: 2,
    late: true,
  },
  {
    ...base,
    name: 'unstuffed',
    about: 'a server that does not always stuff dots, a message that cuts itself, two faults',
    messages: [plain(0, { cut: 'sometimes' }), plain(1)],
    faults: 2,
  },
  {
    ...overlapping,
    name: 'unstuffed, overlap',
    about: 'a server that never stuffs dots, two runs at once',
    messages: [plain(0, { cut: 'always' }), plain(1)],
    faults: 0,
  },
  {
    ...overlapping,
    name: 'rogue, overlap',
    about: 'DELE is committed when the line drops, two runs at once, two faults',
    messages: [plain(0)],
    faults: 2,
    commits: 'at disconnect',
  },
  {
    ...base,
    name: 'rogue',
    about: 'DELE is committed when the line drops, two messages, two faults',
    messages: [plain(0), plain(1)],
    faults: 2,
    commits: 'at disconnect',
  },
  {
    ...base,
    name: 'hides at QUIT',
    about: 'the server hides at QUIT what was retrieved, two faults',
    messages: [plain(0), plain(1)],
    faults: 2,
    hides: 'at QUIT',
  },
  {
    ...overlapping,
    name: 'hides at RETR',
    about: 'the server hides what was retrieved at once, unanswered writes land late',
    messages: [plain(0)],
    hides: 'at RETR',
    late: true,
  },
  {
    ...overlapping,
    name: 'short',
    about: 'the server may deliver short, two runs at once',
    messages: [plain(0, { short: true })],
  },
  {
    ...base,
    name: 'poison',
    about: 'a message that ends the process in RETR, its neighbour, two faults',
    messages: [plain(0, { poison: 'retr' }), plain(1)],
    faults: 2,
  },
  {
    ...overlapping,
    name: 'poison, overlap',
    about: 'a message that ends the process in RETR, two runs at once',
    messages: [plain(0, { poison: 'retr' }), plain(1)],
    faults: 0,
  },
  {
    ...base,
    name: 'summary',
    about: 'a message whose summary ends the process, two faults',
    messages: [plain(0, { poison: 'summary' }), plain(1)],
    faults: 2,
  },
  {
    ...base,
    name: 'anonymous',
    about: 'TOP proves nothing of the message, so branch A alone may delete it, two faults',
    messages: [plain(0, { anonymous: true })],
    faults: 2,
  },
  {
    ...overlapping,
    name: 'keep',
    about: 'the policy keeps mail on the server, two runs at once',
    messages: [plain(0), plain(1)],
    deletes: 'keep',
  },
];
