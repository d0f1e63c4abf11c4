/** What V8's profiler saw, summed by file: where the processor's time went. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const SHOWN = 25;

/** Lines of "share file", the largest first; V8's own and native work under its name. */
export async function byFile(folder: string): Promise<string> {
  const micros = new Map<string, number>();
  for (const name of await readdir(folder)) {
    const profile = JSON.parse(await readFile(join(folder, name), 'utf8')) as Profile;
    const places = new Map(profile.nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
    for (const [at, id] of profile.samples.entries()) {
      const place = places.get(id) ?? '?';
      micros.set(place, (micros.get(place) ?? 0) + (profile.timeDeltas[at] ?? 0));
    }
  }
  const total = [...micros.values()].reduce((sum, one) => sum + one, 0);
  return [...micros]
    .sort(([, a], [, b]) => b - a)
    .slice(0, SHOWN)
    .map(([place, spent]) => `${((100 * spent) / total).toFixed(1).padStart(5)} %  ${place}`)
    .join('\n');
}

function placeOf({ url, functionName }: Profile['nodes'][number]['callFrame']): string {
  if (url === '') return functionName || '(native)';
  return url.replace(/^.*\/(?=(lib|test|node_modules)\/)/, '');
}
