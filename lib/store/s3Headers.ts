/** The headers an object is served with, from its key alone: nothing that a mail says is in them. */
export interface ObjectHeaders {
  readonly ContentType: string;
  readonly ContentDisposition?: string;
}

/**
 * A document is JSON. Everything else came from strangers, so a browser that is given its address shall save
 * it and not show it.
 */
export function objectHeaders(key: string): ObjectHeaders {
  if (key.startsWith('mail/')) return { ContentType: 'message/rfc822', ContentDisposition: 'attachment' };
  if (key.endsWith('.json')) return { ContentType: 'application/json' };
  return { ContentType: 'application/octet-stream', ContentDisposition: 'attachment' };
}
