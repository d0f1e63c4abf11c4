/**
 * Breadth first over every state that can be reached; then backwards from the goals, so that each state from which
 * no history leads to one is found. The first violation ends the search with the shortest history to it.
 */
import { actions } from './environment.ts';
import { broken, isGoal } from './invariants.ts';
import { firstWorld, keyOf, type Model, type World } from './world.ts';

/** More than any scenario has: a search that comes so far has lost its bounds. */
const MOST_STATES = 2_000_000;

export interface Verdict {
  readonly states: number;
  readonly transitions: number;
  readonly goals: number;
  /** Null where all holds. */
  readonly violation: string | null;
  /** Named actions from the first state to the violation. */
  readonly trace: readonly string[];
}

/** Grows as it is pushed to; plain arrays of numbers would take four times the room. */
class Numbers {
  #values = new Int32Array(1024);
  length = 0;

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Int32Array(this.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length] = value;
    this.length += 1;
  }

  at(index: number): number {
    return this.#values[index] ?? 0;
  }
}

interface Graph {
  readonly parents: Numbers;
  /** The action by which each state was first reached, as its place in `names`. */
  readonly by: Numbers;
  readonly names: string[];
  readonly from: Numbers;
  readonly to: Numbers;
  readonly goals: number[];
}

export function explore(model: Model): Verdict {
  const ids = new Map<string, number>();
  const names = new Map<string, number>();
  const graph: Graph = {
    parents: new Numbers(),
    by: new Numbers(),
    names: [],
    from: new Numbers(),
    to: new Numbers(),
    goals: [],
  };
  let level: World[] = [];
  let violation: { readonly state: number; readonly says: string } | null = null;
  const reach = (world: World, parent: number, action: string): number => {
    const key = keyOf(world);
    const known = ids.get(key);
    if (known !== undefined) return known;
    const id = ids.size;
    ids.set(key, id);
    graph.parents.push(parent);
    graph.by.push(numberOf(names, graph.names, action));
    level.push(world);
    if (isGoal(model, world)) graph.goals.push(id);
    const says = broken(model, world);
    if (says !== null) violation ??= { state: id, says };
    return id;
  };
  reach(firstWorld(model), -1, '');
  let first = 0;
  while (level.length > 0 && violation === null) {
    const current = level;
    level = [];
    for (const [offset, world] of current.entries()) {
      const from = first + offset;
      actions(model, world, (action, next) => {
        const to = reach(next, from, action);
        graph.from.push(from);
        graph.to.push(to);
      });
      if (violation !== null) break;
    }
    first += current.length;
    if (ids.size > MOST_STATES)
      throw new Error(`more than ${MOST_STATES} states: the scenario has no bounds`);
  }
  const found: { readonly state: number; readonly says: string } | null = violation ?? stuck(graph, ids.size);
  return {
    states: ids.size,
    transitions: graph.from.length,
    goals: graph.goals.length,
    violation: found === null ? null : found.says,
    trace: found === null ? [] : traceTo(graph, found.state),
  };
}

function numberOf(numbers: Map<string, number>, names: string[], name: string): number {
  const known = numbers.get(name);
  if (known !== undefined) return known;
  numbers.set(name, names.length);
  return names.push(name) - 1;
}

/** The first state from which no goal can be reached: the shortest history that can never end well. */
function stuck(graph: Graph, states: number): { state: number; says: string } | null {
  const reaches = backwards(graph, states);
  const state = reaches.indexOf(0);
  if (state < 0) return null;
  const many = reaches.reduce((sum, one) => sum + (one === 0 ? 1 : 0), 0);
  const says = graph.goals.length === 0 ? 'no history ends well' : `${many} states never end well`;
  return { state, says: `AG EF: ${says}` };
}

function backwards({ from, to, goals }: Graph, states: number): Uint8Array {
  // Edges by the state that they lead to, as offsets into one array.
  const starts = new Int32Array(states + 1);
  for (let edge = 0; edge < to.length; edge += 1)
    starts[to.at(edge) + 1] = (starts[to.at(edge) + 1] ?? 0) + 1;
  for (let state = 0; state < states; state += 1)
    starts[state + 1] = (starts[state + 1] ?? 0) + (starts[state] ?? 0);
  const sources = new Int32Array(to.length);
  const filled = starts.slice();
  for (let edge = 0; edge < to.length; edge += 1) {
    const target = to.at(edge);
    const place = filled[target] ?? 0;
    sources[place] = from.at(edge);
    filled[target] = place + 1;
  }
  const reaches = new Uint8Array(states);
  const open = [...goals];
  for (const goal of goals) reaches[goal] = 1;
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    for (let at = starts[state] ?? 0; at < (starts[state + 1] ?? 0); at += 1) {
      const source = sources[at] ?? 0;
      if (reaches[source] === 1) continue;
      reaches[source] = 1;
      open.push(source);
    }
  }
  return reaches;
}

function traceTo({ parents, by, names }: Graph, state: number): string[] {
  const trace: string[] = [];
  for (let at = state; parents.at(at) >= 0; at = parents.at(at)) trace.push(names[by.at(at)] ?? '');
  return trace.reverse();
}
