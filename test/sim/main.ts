/**
 * The simulation's command.
 *
 *   node test/sim/main.ts --from 1 --count 2000 [--step 1] [--workers 2] [--until-failure]  counts as JSON on the last line
 *   node test/sim/main.ts --seeds 7,21,99                                          these alone
 *   node test/sim/main.ts --seed 7 [--trace]                                       one history, each step printed
 *
 * `--patch module.ts#EXPORT` (repeatable): an array of Patch that is applied to the engine's source as it is loaded.
 * `--wrap module.ts#EXPORT`: a function `(ports: FetchPorts) => FetchPorts` that each process's ports go through.
 * Both are for wrong engines; paths are relative to the working directory. Exit 1: a promise was broken; the seed,
 * the oracle's name and words and the command that replays it are printed.
 */
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { applyPatches, type Patch } from '../patches/patches.ts';
import type { Told } from './history.ts';
import { SCALED } from './scale.ts';

export interface Failed {
  readonly seed: number;
  readonly oracle: string;
  readonly words: string;
  readonly replay: string;
}

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '2000' },
    step: { type: 'string', default: '1' },
    workers: { type: 'string', default: '1' },
    seed: { type: 'string' },
    seeds: { type: 'string' },
    trace: { type: 'boolean', default: false },
    patch: { type: 'string', multiple: true, default: [] },
    wrap: { type: 'string' },
    'until-failure': { type: 'boolean', default: false },
  },
});

async function imported(reference: string): Promise<unknown> {
  const [file = '', name = 'default'] = reference.split('#');
  const module = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  if (!(name in module)) throw new Error(`${file} exports no ${name}.`);
  return module[name];
}

async function main(): Promise<number> {
  const patches: Patch[] = [...SCALED];
  for (const reference of values.patch) patches.push(...((await imported(reference)) as Patch[]));
  applyPatches(patches);
  // Errors are made by the thousand here; only a single history is read by a person.
  if (values.seed === undefined) Error.stackTraceLimit = 0;
  const { live } = await import('./history.ts');
  const wrap = values.wrap ? ((await imported(values.wrap)) as never) : undefined;
  const options = { trace: values.trace, ...(wrap ? { wrap } : {}) };
  if (values.seed !== undefined) {
    const told = await live(Number(values.seed), options);
    for (const line of told.lines ?? []) console.log(line);
    console.log(JSON.stringify({ ...told, lines: undefined, violation: told.violation?.message ?? null }));
    return told.violation ? 1 : 0;
  }
  const { many } = await import('./many.ts');
  const told = await many((seed: number) => live(seed, options), {
    named: values.seeds?.split(',').map(Number) ?? null,
    from: Number(values.from),
    count: Number(values.count),
    step: Number(values.step),
    workers: Number(values.workers),
    untilFailure: values['until-failure'],
    extras: [
      ...values.patch.flatMap((one) => ['--patch', one]),
      ...(values.wrap ? ['--wrap', values.wrap] : []),
    ],
  });
  for (const { seed, oracle, words, replay } of told.failed) {
    console.log(`seed ${seed}: ${oracle}: ${words}\n  replay: ${replay}`);
  }
  console.log(JSON.stringify(told));
  return told.failed.length > 0 ? 1 : 0;
}

export type { Told };

process.exitCode = await main();
