/** Folder stores for one test each, and a hook on their calls that does not outlive the test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { folderStore } from '../../lib/store/folder.ts';
import type { ObjectStore } from '../../lib/store/port.ts';
import { type Hook, hookFiles } from './hookedFiles.ts';

const folders: string[] = [];
let restore = async () => {};

/** A new folder, removed after the test. */
export async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mailferry-folder-'));
  folders.push(folder);
  return folder;
}

export function openStore(folder: string): ObjectStore {
  return folderStore(folder, { random: Math.random });
}

/** Until `unhook` or the test's end. */
export function hook(hooked: Hook): void {
  restore = hookFiles(hooked);
}

export async function unhook(): Promise<void> {
  await restore();
  restore = async () => {};
}

afterEach(async () => {
  await unhook();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});
