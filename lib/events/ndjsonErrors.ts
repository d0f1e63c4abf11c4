import { PublisherError } from './port.ts';

interface Verdict {
  readonly kind: 'later' | 'person';
  readonly code: string;
  readonly next: string;
}

const FULL: Verdict = {
  kind: 'person',
  code: 'E_EVENTS_FULL',
  next: 'The disk, quota or file size limit is reached: make room, or move the file away, then run again.',
};
const DENIED: Verdict = {
  kind: 'person',
  code: 'E_EVENTS_DENIED',
  next: 'Let the user that runs Mailferry read and write the file and its folder, then run again.',
};
const PATH: Verdict = {
  kind: 'person',
  code: 'E_EVENTS_PATH',
  next: 'Name a regular file in a folder, or one that can be made: nothing else keeps events.',
};
const NO_SYNC: Verdict = {
  kind: 'person',
  code: 'E_EVENTS_NO_SYNC',
  next: 'The file system cannot sync files or folders, so that events might not survive a power cut. Name a file on a local one.',
};
const CLOSED: Verdict = {
  kind: 'person',
  code: 'E_EVENTS_CLOSED',
  next: 'The program that reads the events has ended: start both again, or write them to a file.',
};
const LATER: Verdict = { kind: 'later', code: 'E_EVENTS_BUSY', next: 'The next run tries again.' };

/** By errno, or Node's code. What is not here passes by waiting: EMFILE, ENFILE, ENOMEM, ESTALE. */
const VERDICTS: Readonly<Record<string, Verdict>> = {
  ENOSPC: FULL,
  EDQUOT: FULL,
  EFBIG: FULL,
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: {
    kind: 'person',
    code: 'E_EVENTS_READ_ONLY',
    next: 'The file is on a read-only file system: mount it writable, or name another file.',
  },
  EIO: {
    kind: 'person',
    code: 'E_EVENTS_IO',
    next: 'The disk reports errors. Check it before running again.',
  },
  // What is there without fsync, or with none of folders: SMB and some of FUSE.
  EINVAL: NO_SYNC,
  ENOTSUP: NO_SYNC,
  EOPNOTSUPP: NO_SYNC,
  ENOSYS: NO_SYNC,
  EEXIST: PATH,
  EISDIR: PATH,
  ENOTDIR: PATH,
  ELOOP: PATH,
  ENAMETOOLONG: PATH,
  ENXIO: PATH,
  EPIPE: CLOSED,
  ERR_STREAM_WRITE_AFTER_END: CLOSED,
  ERR_STREAM_DESTROYED: CLOSED,
  ERR_STREAM_PREMATURE_CLOSE: CLOSED,
};

/** What a failed write of events means to the port. `place`: the file's path, or what the stream is called. */
export function writeError(error: unknown, place: string): PublisherError {
  if (error instanceof PublisherError) return error;
  const { kind, code, next } = VERDICTS[codeOf(error)] ?? LATER;
  const words = error instanceof Error ? error.message : String(error);
  return new PublisherError(`events to ${place}: ${words}. ${next}`, { kind, code }, { cause: error });
}

/** For a path that holds something else than a file: a pipe or a device accepts events and keeps none. */
export function notAFile(path: string): PublisherError {
  return new PublisherError(`events to ${path}: not a regular file. ${PATH.next}`, PATH);
}

/** For a link in the path's place, or on the way to it. */
export function leadsNowhere(link: string): PublisherError {
  return new PublisherError(
    `events to ${link}: this is a link that leads nowhere. Mount what it leads to, or make the link anew, then run again.`,
    PATH,
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
