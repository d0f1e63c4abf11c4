/** Lets a test see, hold or break each call to the file system that the folder store makes. */
import { promises as fs } from 'node:fs';

export interface FileCall {
  /** The function's name; a file handle's begin with "handle.". */
  readonly name: string;
  /** The first path argument, or the path that the handle was opened with. */
  readonly path: string;
}

/** Stands in for each call; `perform` makes it. */
export type Hook = (call: FileCall, perform: () => Promise<unknown>) => Promise<unknown>;

type Method = (...args: unknown[]) => Promise<unknown>;

const FUNCTIONS = [
  'mkdir',
  'open',
  'readdir',
  'readFile',
  'stat',
  'lstat',
  'link',
  'unlink',
  'rmdir',
  'opendir',
];
const METHODS = ['writeFile', 'sync', 'close', 'stat', 'read'];

type Handle = Record<string, Method> & { readonly fd: number };

/** Puts `hook` before every call, until the returned function is called; it also closes what was left open. */
export function hookFiles(hook: Hook): () => Promise<void> {
  const module = fs as unknown as Record<string, Method>;
  const originals = new Map(FUNCTIONS.map((name) => [name, module[name] as Method]));
  const closers: (() => Promise<unknown>)[] = [];
  for (const [name, original] of originals) {
    module[name] = async (...args) => {
      const path = String(args[0]);
      const result = await hook({ name, path }, () => original.apply(fs, args));
      if (name === 'open') closers.push(hookHandle(result as Handle, path, hook));
      return result;
    };
  }
  return async () => {
    for (const [name, original] of originals) module[name] = original;
    await Promise.all(closers.map((close) => close()));
  };
}

/** Gives what closes the handle if it is still open. */
function hookHandle(handle: Handle, path: string, hook: Hook): () => Promise<unknown> {
  const close = handle['close'] as Method;
  for (const name of METHODS) {
    const original = handle[name] as Method;
    handle[name] = (...args) => hook({ name: `handle.${name}`, path }, () => original.apply(handle, args));
  }
  return async () => {
    if (handle.fd >= 0) await close.call(handle);
  };
}

/** A system error as Node makes them. */
export function systemError(code: string, call: FileCall): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: injected, ${call.name} '${call.path}'`), {
    code,
    path: call.path,
  });
}
