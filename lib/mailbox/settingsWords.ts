/** What is wrong with settings, in the words of whoever wrote them, and where: never a value, since it may be a secret. */
import type { z } from 'zod';
import { didYouMean } from './meant.ts';

const KINDS: Readonly<Record<string, string>> = {
  string: 'must be text; a number or a date is text between quotes',
  boolean: 'must be true or false, without quotes',
  object: 'must be settings: lines of the form "key: value"',
  array: 'must be a list',
};

/** For what a schema has no words of its own; of unknown keys a line each. */
export const inWords: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'unrecognized_keys') {
    const known = keysOf(issue.inst);
    return issue.keys.map((key) => `unknown key "${key}"${didYouMean(key, known)}`).join('\n');
  }
  if (issue.code === 'invalid_type')
    return issue.input === undefined ? 'is needed' : (KINDS[issue.expected] ?? undefined);
  if (issue.code === 'too_small' && issue.origin === 'string') return 'must not be empty';
  if (issue.code === 'too_big' && issue.origin === 'string')
    return `must have at most ${issue.maximum} characters`;
  return undefined;
};

/** Of the schema of an object. */
function keysOf(schema: unknown): readonly string[] {
  const { def } = (schema as Partial<z.core.$ZodObject> | undefined)?._zod ?? {};
  return Object.keys(def?.shape ?? {});
}

export interface Where {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Each problem by itself; of a choice between forms, those of the form that was meant. */
export function problemsOf(issue: z.core.$ZodIssue, value: unknown): readonly Where[] {
  if (issue.code === 'invalid_union') {
    const given = at(value, issue.path);
    const meant = issue.errors.filter((branch) => isMeant(branch, given));
    const [branch] = meant;
    if (branch !== undefined && meant.length === 1)
      return branch.flatMap((inner) => problemsOf({ ...inner, path: [...issue.path, ...inner.path] }, value));
  }
  return issue.message.split('\n').map((message) => ({ path: issue.path, message }));
}

/** It has what such a form must have, whatever is wrong with it. */
function isMeant(branch: readonly z.core.$ZodIssue[], given: unknown): boolean {
  if (!isRecord(given) || Array.isArray(given)) return false;
  return branch.every(({ code, path: [key, ...below] }) =>
    key === undefined ? code === 'unrecognized_keys' : below.length > 0 || given[String(key)] !== undefined,
  );
}

function at(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, step) => (isRecord(value) ? value[String(step)] : undefined), root);
}

/** `mailboxes[2] ("support").port`: a person finds a mailbox by its id, not by its index. */
export function pathOf(path: readonly PropertyKey[], root: unknown): string {
  let text = '';
  let value: unknown = root;
  for (const step of path) {
    value = isRecord(value) ? value[String(step)] : undefined;
    text += typeof step === 'number' ? `[${step}]` : text === '' ? String(step) : `.${String(step)}`;
    const id = isRecord(value) ? value['id'] : undefined;
    if (typeof step === 'number' && typeof id === 'string') text += ` (${JSON.stringify(id)})`;
  }
  return text === '' ? 'the file' : text;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
