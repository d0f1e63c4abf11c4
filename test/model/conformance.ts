/**
 * Keeps the model honest: what a real run does, as the sequence of durable facts that it leaves behind, must be a
 * path of the model. Steps of the model that change none of these facts may stand between any two.
 */
import { actions } from './environment.ts';
import { type Numbering, seenInModel } from './projection.ts';
import { AT, firstWorld, keyOf, type Model, modelOf, type World } from './world.ts';

export interface Conformance {
  /** How many of the observations the model followed; all of them, if it accepts. */
  readonly followed: number;
  readonly accepted: boolean;
  /** States of the model that agree with what was followed. */
  readonly states: number;
}

export function conforms(numbering: Numbering, observed: readonly string[]): Conformance {
  const model = modelOf(numbering.facts);
  const start = firstWorld(model);
  let current: Iterable<World> = seenInModel(model, start) === observed[0] ? [start] : [];
  let states = 0;
  for (const [index, facts] of observed.entries()) {
    const { within, beyond } = followed(model, current, facts, observed[index + 1]);
    states += within;
    if (within === 0) return { followed: index, accepted: false, states };
    current = beyond;
  }
  return { followed: observed.length, accepted: true, states };
}

/** Everything that can be reached while the facts stay as they are, and one step beyond, to the next ones. */
function followed(model: Model, from: Iterable<World>, facts: string, next: string | undefined) {
  const within = new Set<string>();
  const beyond = new Map<string, World>();
  const open: World[] = [];
  const reach = (world: World) => {
    const key = keyOf(world);
    if (within.has(key)) return;
    within.add(key);
    open.push(world);
  };
  for (const world of from) reach(world);
  for (let world = open.pop(); world !== undefined; world = open.pop()) {
    actions(model, world, (_, successor) => {
      if (running(successor) > 1) return;
      const seen = seenInModel(model, successor);
      if (seen === facts) reach(successor);
      else if (seen === next) beyond.set(keyOf(successor), successor);
    });
  }
  return { within: within.size, beyond: beyond.values() };
}

/** The histories have one run at a time, so the model need not follow others. */
function running({ workers }: World): number {
  return workers.filter(({ at }) => at !== AT.idle && at !== AT.dead).length;
}
