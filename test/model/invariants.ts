/** What must hold in every state, and what "done" is. */
import { asideRefs, heldByAnyone, isAside, isReported } from './head.ts';
import { AT, lowest, type Model, objects, type World } from './world.ts';

/** Null, or the invariant that is broken and by what. */
export function broken(model: Model, world: World): string | null {
  return lostOf(model, world) ?? wrongInStore(model, world) ?? wrongInHead(model, world);
}

function lostOf({ facts }: Model, world: World): string | null {
  const stored = objects(world);
  for (let rest = world.ours | world.hidden; rest !== 0; rest &= rest - 1) {
    const message = lowest(rest);
    const whole = 1 << (facts.variantOf[message]?.whole ?? 0);
    const how = (world.ours & (1 << message)) !== 0 ? 'deleted' : 'hidden by our QUIT';
    if ((stored & whole) === 0) return `I1: m${message} was ${how} and its bytes are not in the store`;
    if (how === 'deleted' && (world.events & whole) === 0) {
      return `I2: m${message} was deleted and no event of it was accepted`;
    }
  }
  return null;
}

function wrongInStore({ facts }: Model, world: World): string | null {
  if (world.spoilt === 1) return 'I7: an object was replaced';
  if (world.spoilt === 2) return 'I4: the same bytes under the same UIDL got a second object';
  const stored = objects(world);
  for (let rest = stored; rest !== 0; rest &= rest - 1) {
    const variant = facts.variants[lowest(rest)];
    if (variant?.kind === 'cut' || variant?.kind === 'forged') {
      return `I3: an object holds m${variant.message} ${variant.kind}`;
    }
  }
  for (let rest = world.first; rest !== 0; rest >>= 4) {
    if ((world.second & (1 << (rest & 0b1111))) > 1) return `I4: v${rest & 0b1111} has two objects`;
  }
  const unfounded = world.events & ~stored;
  return unfounded === 0 ? null : `I5: v${lowest(unfounded)} is announced and not in the store`;
}

function wrongInHead({ facts, heads }: Model, world: World): string | null {
  const head = heads.at(world.head);
  const unfounded = head.records & ~(objects(world) & world.events);
  if (unfounded !== 0) return `I6: v${lowest(unfounded)} is on record, and not both stored and announced`;
  const innocent = asideRefs(head) & ~facts.guilty;
  return innocent === 0 ? null : `P6: r${lowest(innocent)} is set aside, and was not to blame`;
}

/** Every message is off the server or rightly on it, every object announced and on record, nothing is open (I8, L1). */
export function isGoal(model: Model, world: World): boolean {
  const { facts, heads } = model;
  const { workers, lateFirst, lateSecond, lateHead } = world;
  if (workers.some(({ at }) => at !== AT.idle) || lateFirst !== 0 || lateSecond !== 0 || lateHead >= 0)
    return false;
  const head = heads.at(world.head);
  const aside = asideRefs(head);
  if (heldByAnyone(head) !== 0 || (head.left & ~aside) !== 0) return false;
  if (head.failures.some((failure) => isAside(failure) && !isReported(failure))) return false;
  if ((aside & ~world.told) !== 0 || (objects(world) & ~head.records) !== 0) return false;
  for (let rest = world.present; rest !== 0; rest &= rest - 1) {
    const message = lowest(rest);
    const refs = (1 << (facts.plain[message] ?? 0)) | (1 << (facts.repeated[message] ?? 0));
    const { whole = 0, short = 0 } = facts.variantOf[message] ?? {};
    const keeps = facts.scenario.deletes === 'keep' && (head.records & (1 << whole)) !== 0;
    const shortOnRecord = short !== 0 && (head.records & (1 << short)) !== 0;
    if ((aside & refs) === 0 && !keeps && !shortOnRecord) return false;
  }
  return true;
}
