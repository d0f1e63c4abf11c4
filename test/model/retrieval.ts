/** From RETR to an object: lib/fetch/window.ts, storing.ts and lib/store/settle.ts. */
import { pending } from './onward.ts';
import { refOf } from './plan.ts';
import { died, dropped, go, mishap, type Turn } from './turn.ts';
import { AT, lowest, nibble, objects, VERDICT, type Worker, type World, withNibble } from './world.ts';

/** One RETR of the window. */
export function retrieveWindow(turn: Turn) {
  const { model, world, worker } = turn;
  const message = lowest(worker.ask);
  const action = `retrieveWindow: RETR m${message}`;
  const facts = model.facts.messages[message];
  const { cut = 0, short = 0, whole = 0, forged = 0 } = model.facts.variantOf[message] ?? {};
  if (worker.open === 0) return windowLost(turn, `${action}: the line is down`, message);
  // A session may go on to serve what another one removed, or refuse it.
  if ((world.present & (1 << message)) === 0) refused(turn, `${action}: -ERR, it is gone`, go);
  else refused(turn, `${action}: -ERR`, mishap);
  if (facts?.poison === 'retr') return died(turn, `${action} ends the process`);
  if (worker.shifted === 1) return came(turn, `${action}: a forged reply comes`, forged);
  if (facts?.cut) came(turn, `${action}: it cuts itself`, cut, 1);
  if (facts?.cut !== 'always') came(turn, action, whole);
  if (facts?.short) came(turn, `${action}: delivered short`, short);
  if (world.faults === 0) return;
  if (model.mutant === 'truncated accepted') truncated(turn, action, cut);
  else windowLost(turn, `${action}: the line breaks`, message, 1);
}

function came(turn: Turn, action: string, variant: number, shifted: 0 | 1 = turn.worker.shifted) {
  go(turn, action, arrival(turn, variant, shifted), hiddenAtRetr(turn));
}

function arrival({ model, worker }: Turn, variant: number, shifted: 0 | 1): Partial<Worker> {
  const message = lowest(worker.ask);
  const bit = 1 << message;
  const hides = model.facts.scenario.hides === 'at QUIT' ? bit : 0;
  return {
    ask: worker.ask & ~bit,
    got: withNibble(worker.got, message, variant),
    doubt: worker.doubt | bit,
    retrieved: worker.retrieved | hides,
    shifted,
  };
}

function hiddenAtRetr({ model, world, worker }: Turn): Partial<World> {
  if (model.facts.scenario.hides !== 'at RETR') return {};
  return { present: world.present & ~(1 << lowest(worker.ask)) };
}

/** A wrong engine: what came before the line broke is taken for the message. */
function truncated(turn: Turn, action: string, cut: number) {
  const { line, server } = dropped(turn, turn.world, turn.worker);
  const got = { ...arrival(turn, cut, 0), ...line, ask: 0, todo: 0, at: AT.createSettled };
  mishap(turn, `${action}: the line breaks`, got, server);
}

/** The connection is still good; alone, a refusal is the message's own trouble only if another one comes. */
function refused(turn: Turn, action: string, by: typeof go) {
  const { worker } = turn;
  const message = lowest(worker.ask);
  const bit = 1 << message;
  const ask = worker.ask & ~bit;
  if (worker.alone === 0) {
    const ref = 1 << refOf(turn.model, worker.listed, message);
    return by(turn, action, {
      ask,
      window: worker.window & ~bit,
      proofs: worker.proofs & ~bit,
      postponed: worker.postponed | ref,
    });
  }
  if (turn.model.mutant === '-ERR strikes the intent')
    return by(turn, action, { at: AT.resolve, refused: 1, ask: 0, window: 0 });
  const own = turn.model.mutant === 'its own RETR counts against it' ? 0 : bit;
  const guilty = (worker.retrievedWhole & ~own) !== 0 || stillDelivers(turn, message);
  by(turn, action, { at: AT.judge, verdict: guilty ? VERDICT.guilty : VERDICT.unproved, ask: 0, window: 0 });
}

/** Whether some listed message that is on record can be asked for, to tell one bad message from a failing server. */
function stillDelivers({ model, world, worker, view }: Turn, refusedMessage: number): boolean {
  let others = worker.listed & world.present & ~worker.marked & ~(1 << refusedMessage);
  for (; others !== 0; others &= others - 1) {
    const { whole = 0, short = 0 } = model.facts.variantOf[lowest(others)] ?? {};
    if ((view.records & ((1 << whole) | (1 << short))) > 1) return true;
  }
  return false;
}

/**
 * Everything of the window is discarded and the line is down. The message to blame is put off; where it may have
 * been any of several, the mailbox is fetched one at a time from now on.
 */
function windowLost(turn: Turn, action: string, culprit: number, cost: 0 | 1 = 0) {
  const { model, world, worker } = turn;
  const { line, server } = dropped(turn, world, worker);
  const by = cost === 1 ? mishap : go;
  const keptOnly = { ask: 0, window: 0, todo: 0, proofs: 0, shifted: 0, got: keptOf(worker) } as const;
  const lost = { ...line, ...keptOnly };
  if (worker.alone !== 0) return by(turn, action, { ...lost, at: AT.judge, verdict: VERDICT.guilty }, server);
  if (culprit < 0) return by(turn, action, { ...lost, at: AT.fetchSingly }, server);
  const postponed = worker.postponed | (1 << refOf(model, worker.listed, culprit));
  by(turn, action, { ...lost, postponed, at: AT.announce }, server);
}

/** What earlier windows of the batch stored. */
function keptOf({ got, placed }: Worker): number {
  let kept = 0;
  for (let rest = placed; rest !== 0; rest &= rest - 1) {
    kept = withNibble(kept, lowest(rest), nibble(got, lowest(rest)));
  }
  return kept;
}

/** Nothing of the window counts before `UIDL n` of its last message was answered exactly. */
export function fence(turn: Turn) {
  const { model, worker } = turn;
  if (worker.open === 0) return windowLost(turn, 'fence: the line is down', soleOf(worker.window));
  if (worker.shifted === 1 && model.mutant !== 'fence not awaited') {
    return windowLost(turn, 'fence: another reply comes', soleOf(worker.window));
  }
  windowLost(turn, 'fence: the line breaks', soleOf(worker.window), 1);
  go(turn, 'fence', {
    at: AT.createSettled,
    shifted: 0,
    retrievedWhole: worker.retrievedWhole | worker.window,
  });
}

function soleOf(window: number): number {
  return window !== 0 && (window & (window - 1)) === 0 ? lowest(window) : -1;
}

/** The messages of a window go up at once, so that any may be the first. */
export function createSettled(turn: Turn) {
  for (let rest = pending(turn.worker); rest !== 0; rest &= rest - 1) createOne(turn, lowest(rest));
}

/** One message into the store, settled by looking whatever the store says. */
function createOne(turn: Turn, message: number) {
  const { model, world, worker, view } = turn;
  const bit = 1 << message;
  const variant = nibble(worker.got, message);
  const action = `createSettled m${message}`;
  if ((view.records & (1 << variant)) !== 0) {
    return go(turn, `${action}: known`, { placed: worker.placed | bit, known: worker.known | bit });
  }
  if ((worker.proofs & bit) !== 0) {
    return go(turn, `${action}: other bytes, again`, {
      proofs: worker.proofs & ~bit,
      got: withNibble(worker.got, message, 0),
      todo: worker.todo | bit,
    });
  }
  const ref = 1 << refOf(model, worker.listed, message);
  const begun = worker.begun | ref;
  const written = put(turn, variant);
  const failed = storeFailed(turn, message, begun);
  if (written === 'failed') go(turn, `${action}: "exists"`, failed);
  else go(turn, action, { placed: worker.placed | bit, begun }, written);
  if (world.faults === 0) return;
  mishap(turn, `${action}: fails`, failed);
  if (written !== 'failed' && Object.keys(written).length > 0) {
    mishap(turn, `${action}: done, its answer lost`, failed, written);
    if (model.facts.scenario.late)
      mishap(turn, `${action}: will land late`, failed, lateWrite(turn, variant));
  }
}

/** The message is put off; alone, the attempt is given back and the run fails. */
function storeFailed({ model, worker }: Turn, message: number, begun: number): Partial<Worker> {
  const got = withNibble(worker.got, message, 0);
  const postponed = worker.postponed | (1 << refOf(model, worker.listed, message));
  const alone = worker.alone !== 0 ? { at: AT.judge, verdict: VERDICT.blameless, window: 0 } : {};
  return { got, begun, postponed, ...alone };
}

/** What one conditional create, or two, leave behind; {} where the very bytes are there already. */
function put({ model, world }: Turn, variant: number): Partial<World> | 'failed' {
  const uidl = model.facts.variants[variant]?.uidl ?? 0;
  const first = nibble(world.first, uidl);
  const bit = 1 << variant;
  if (model.mutant === 'clock in key') {
    const twice = (objects(world) & bit) !== 0 ? 2 : world.spoilt;
    return { second: world.second | bit, spoilt: twice };
  }
  if (model.mutant === 'unconditional put') {
    return {
      first: withNibble(world.first, uidl, variant),
      spoilt: first !== 0 && first !== variant ? 1 : 0,
    };
  }
  if (first === 0) return { first: withNibble(world.first, uidl, variant) };
  if (model.mutant === '412 = failed') return 'failed';
  if (first === variant || model.mutant === '412 = stored') return {};
  return (world.second & bit) !== 0 ? {} : { second: world.second | bit };
}

function lateWrite({ model, world }: Turn, variant: number): Partial<World> {
  const uidl = model.facts.variants[variant]?.uidl ?? 0;
  const bit = 1 << variant;
  return nibble(world.first, uidl) === 0
    ? { lateFirst: world.lateFirst | bit }
    : { lateSecond: world.lateSecond | bit };
}
