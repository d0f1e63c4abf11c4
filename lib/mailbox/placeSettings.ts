/** Where mail is stored, and where it is announced, as settings say it. */
import { z } from 'zod';

const WEB =
  'must be a URL that begins with https:// or http://, with neither user, password, query nor fragment';

/** What else stands in it would be left out without a word. */
const endpoint = z.url({ protocol: /^https?$/, error: WEB, abort: true }).refine((text) => {
  const { username, password, search, hash } = new URL(text);
  return username + password + search + hash === '';
}, WEB);

/** It becomes part of a host name. */
export const REGION = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const region = z.string().regex(REGION, 'must be the name of a region, such as eu-central-1');

const LOCK_DAYS = 'must be a whole number of days from 1 to 36500';

/** Retention of each mail object from when it is stored, in a bucket with S3 Object Lock. */
const objectLock = z.strictObject({
  /** compliance: nobody can shorten it; governance: whoever has s3:BypassGovernanceRetention. */
  mode: z.enum(['compliance', 'governance'], 'must be compliance or governance').default('compliance'),
  days: z.int(LOCK_DAYS).min(1, LOCK_DAYS).max(36_500, LOCK_DAYS),
});

/** Why it would be another path than is meant; null: it is one. */
export function notAPath(path: string): string | null {
  if (/^(?:~|\$\{?\w+\}?)(?:\/|$)/.test(path))
    return 'must be written out: "~" and "$NAME" are a shell\'s, and would be a folder of that very name';
  return /^\w+:\/\//.test(path) ? 'must be a path, and no URL; a bucket is { bucket: NAME }' : null;
}

const path = z
  .string()
  .min(1)
  .check(({ value, issues }) => {
    const message = notAPath(value);
    if (message !== null) issues.push({ code: 'custom', input: value, message });
  });

export const store = z.union(
  [
    z.strictObject({ folder: path }),
    z.strictObject({
      bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be a bucket name'),
      region: region.optional(),
      /** Of an S3-compatible store; absent for AWS. */
      endpoint: endpoint.optional(),
      pathStyle: z.boolean().optional(),
      objectLock: objectLock.optional(),
    }),
  ],
  { error: 'must be { folder } or { bucket, region?, endpoint?, pathStyle?, objectLock? }' },
);

export const events = z.union(
  [
    z.strictObject({
      file: path.refine((name) => name !== '-', 'must be a file; for stdout: { stdout: true }'),
    }),
    z.strictObject({ stdout: z.literal(true, 'must be true') }),
    z.strictObject({
      bus: z.string().regex(/^[A-Za-z0-9._/-]{1,256}$/, 'must be the name of an event bus'),
      region: region.optional(),
      endpoint: endpoint.optional(),
    }),
  ],
  { error: 'must be { file }, { stdout: true } or { bus, region?, endpoint? }' },
);
