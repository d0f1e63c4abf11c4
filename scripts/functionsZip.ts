/** Zips the bundled functions, the same bytes for the same bundles: a deployment without a change is then seen to have none. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Zippable, zipSync } from 'fflate';

/** The first that a zip file can say. */
const NO_TIME = '1980-01-01T00:00:00';

const UNIX = 3;

/** Readable by the function's user, whoever that is. */
const ATTRIBUTES = 0o100_644 << 16;

/**
 * What is below `folder`, but source maps, which are kept apart: a function's package can be read by whoever may describe it.
 * `more`: further files by their path in the zip.
 */
export async function zipFunctions(
  folder: string,
  file: string,
  more: Readonly<Record<string, Uint8Array>> = {},
): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.map'))
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
  const zip: Zippable = {};
  for (const path of paths) zip[path.slice(folder.length + 1)] = await readFile(path);
  Object.assign(zip, more);
  await writeFile(file, zipSync(zip, { mtime: NO_TIME, os: UNIX, attrs: ATTRIBUTES, level: 9 }));
}
