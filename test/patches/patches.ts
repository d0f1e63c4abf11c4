/**
 * Changes of the engine's source, made while Node loads it: constants scaled down so that small histories cross
 * their bounds, and the wrong engines that the proofs must catch. Nothing on disk changes and the source knows no
 * flags; a patch that no longer fits its file is an error, so that none can go stale unseen.
 */
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

export interface Patch {
  /** From the root of the tree: "lib/fetch/plan.ts". */
  readonly file: string;
  /** Must be in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

const root = new URL('../../', import.meta.url);

/** Takes effect on every module that is imported afterwards, in this process. Call it once, before any of lib. */
export function applyPatches(patches: readonly Patch[]): void {
  const byUrl = new Map<string, Patch[]>();
  for (const patch of patches) {
    const { href } = new URL(patch.file, root);
    byUrl.set(href, [...(byUrl.get(href) ?? []), patch]);
  }
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const wanted = byUrl.get(url);
      if (wanted === undefined) return loaded;
      const source = wanted.reduce(patched, String(loaded.source));
      return { ...loaded, source };
    },
  });
}

/** The source with one patch applied; throws where it does not fit. */
export function patched(source: string, { file, find, replace }: Patch): string {
  const at = source.indexOf(find);
  if (at < 0 || source.indexOf(find, at + 1) >= 0) {
    const seen = at < 0 ? 'is not' : 'is more than once';
    throw new Error(`${fileURLToPath(new URL(file, root))}: what a patch looks for ${seen} in it:\n${find}`);
  }
  return source.slice(0, at) + replace + source.slice(at + find.length);
}
