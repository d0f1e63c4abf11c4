/** The headers an object is stored with, from its key alone: nothing that a mail says is in them. */
export interface ObjectHeaders {
  readonly ContentType: string;
  readonly ContentDisposition?: string;
  readonly ObjectLockMode?: ObjectLock['mode'];
  readonly ObjectLockRetainUntilDate?: Date;
}

/** Retention of each mail object from when it is stored, in a bucket with S3 Object Lock. State and documents have none. */
export interface ObjectLock {
  /** COMPLIANCE: nobody can shorten it; GOVERNANCE: whoever has s3:BypassGovernanceRetention. */
  readonly mode: 'COMPLIANCE' | 'GOVERNANCE';
  readonly days: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

const DAY_MS = 86_400_000;

/**
 * A document is JSON. Everything else came from strangers, so a browser that is given its address shall save
 * it and not show it.
 */
export function objectHeaders(key: string, lock: ObjectLock | undefined): ObjectHeaders {
  if (key.startsWith('mail/'))
    return { ContentType: 'message/rfc822', ContentDisposition: 'attachment', ...retention(lock) };
  if (key.endsWith('.json')) return { ContentType: 'application/json' };
  return { ContentType: 'application/octet-stream', ContentDisposition: 'attachment' };
}

function retention(lock: ObjectLock | undefined): Partial<ObjectHeaders> {
  if (lock === undefined) return {};
  const { mode, days, now } = lock;
  return { ObjectLockMode: mode, ObjectLockRetainUntilDate: new Date(now() + days * DAY_MS) };
}
