/**
 * Wrong protocols, each one change of the model. Those that the model proves harmless are in the table too, with
 * the reason: what they break is then somebody else's to catch, or costs only work.
 */

const TABLE = [
  // Bytes that are not the message.
  ['truncated accepted', 'plain', 'I3'],
  ['fence not awaited', 'unstuffed', 'I3'],
  ['shortfall ignored', 'short', 'I1'],
  ['B without octets', 'short', 'I1'],
  // What the store's answers are taken for.
  ['412 = stored', 'collide', 'I5'],
  ['412 = failed', 'collide', 'AG EF'],
  ['unconditional put', 'collide', 'I7'],
  ['clock in key', 'overlap', 'I4'],
  // Identity.
  ['UIDL alone', 'collide', 'I1'],
  ['TOP hash ignored', 'collide', 'I1'],
  // Order.
  ['failed entry ignored', 'plain', 'I6'],
  ['done before event', 'plain', 'I6'],
  ['DELE before event', 'rogue', 'I2'],
  ['QUIT after doubt', 'hides at QUIT', 'I1'],
  // State.
  ['blind state write', 'vanish', 'P6'],
  ['intent not written', 'vanish, reuse', 'AG EF'],
  ['intent dropped at first look', 'vanish, reuse alike, late', 'AG EF'],
  ['outbox not looked at', 'vanish, reuse', 'AG EF'],
  ['living intent struck', 'short', 'AG EF'],
  ['unseen intent struck', 'short', 'AG EF'],
  ['-ERR strikes the intent', 'vanish, reuse, late', 'AG EF'],
  ['gone and found, struck', 'vanish, reuse, late', 'AG EF'],
  ['replaced, then taken back', 'vanish, reuse', 'AG EF'],
  ['not looked again', 'vanish, reuse alike, late', 'AG EF'],
  // Blame.
  ['living intent counted', 'overlap', 'P6'],
  ['counted by an old view', 'overlap', 'P6'],
  ['attempts not ahead', 'poison', 'AG EF'],
  ['innocents counted', 'poison', 'P6'],
  ['suspects not alone', 'poison', 'P6'],
  ['its own RETR counts against it', 'vanish, reuse', 'P6'],
  ['DELE before commit', 'rogue', null],
] as const;

export type Mutant = (typeof TABLE)[number][0];

export interface WrongProtocol {
  readonly name: Mutant;
  /** Where it is tried. */
  readonly scenario: string;
  /** The invariant that it breaks first; null: harmless. */
  readonly breaks: string | null;
}

export const MUTANTS: readonly WrongProtocol[] = TABLE.map(([name, scenario, breaks]) => ({
  name,
  scenario,
  breaks,
}));

/** Why the model finds nothing wrong with it. */
export const HARMLESS: Readonly<Partial<Record<Mutant, string>>> = {
  'DELE before commit':
    'object and accepted event are facts that cannot become false again, and they alone justify the DELE: a state that does not say so yet costs a second event with the same id. The commit goes first so that branch B has one thing to read.',
};
