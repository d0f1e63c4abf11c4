/**
 * What a file system's refusals mean to the port.
 *
 * | errno | kind | why |
 * |---|---|---|
 * | ENOSPC, EDQUOT, EFBIG | person | nothing can be stored until somebody makes room |
 * | EROFS, EACCES, EPERM | person | permissions and mounts do not change by waiting |
 * | EXDEV, ENOTSUP, EOPNOTSUPP, ENOSYS; EPERM of link | person | no hard links, so no exclusive create: another file system is needed |
 * | EINVAL, ENOTSUP and the like of fsync | person | nothing is durable there: another file system is needed |
 * | EIO | person | a failed fsync may succeed when repeated although the bytes are lost, so it is never retried |
 * | EEXIST of a folder, ENOTDIR, EISDIR, ELOOP; a link that leads nowhere | person | something else stands in the folder's place |
 * | ours: another disk than before | person | what was mounted there is away |
 * | ENAMETOOLONG | person | the folder's path leaves no room for names in it |
 * | ESTALE, ENOTCONN, EHOSTDOWN, ENODEV, ENXIO | later | a share or a FUSE file system is away |
 * | the rest: EMFILE, ENFILE, ENOMEM, ENOENT of a temporary file that was swept away | later | passes |
 *
 * A failure after the link, other than EIO, is 'unknown': the object can be seen, but its name may not survive
 * a power cut. Looking settles it, because `verify` syncs the folder before it says 'same'.
 */
import { StoreError, type StoreErrorKind } from './port.ts';

/** The system call's name where it matters, else undefined. */
type Step = 'link' | 'after the link' | undefined;

interface Verdict {
  readonly kind: StoreErrorKind;
  readonly code: string;
  readonly next: string;
}

const FULL: Verdict = {
  kind: 'person',
  code: 'E_STORE_FULL',
  next: 'The disk or quota is full: make room, then run again.',
};
const DENIED: Verdict = {
  kind: 'person',
  code: 'E_STORE_DENIED',
  next: 'Let the user that runs Mailferry read and write the folder, then run again.',
};
const NO_LINK: Verdict = {
  kind: 'person',
  code: 'E_STORE_NO_LINK',
  next: 'The folder cannot hold hard links, which is how Mailferry makes sure that nothing is overwritten. Use one folder on one local file system such as ext4, XFS, Btrfs or APFS, not FAT.',
};
const NO_SYNC: Verdict = {
  kind: 'person',
  code: 'E_STORE_NO_SYNC',
  next: 'The file system cannot sync files or folders, so that what is stored might not survive a power cut. Use one folder on one local file system such as ext4, XFS, Btrfs or APFS.',
};
const PATH: Verdict = {
  kind: 'person',
  code: 'E_STORE_PATH',
  next: 'Something else stands where a file or folder is needed: move it away, then run again.',
};
const AWAY: Verdict = {
  kind: 'later',
  code: 'E_STORE_AWAY',
  next: 'What is mounted there is away: see whether its server or program runs, and mount it again. The next run tries again.',
};
const LATER: Verdict = { kind: 'later', code: 'E_STORE_BUSY', next: 'The next run tries again.' };

const VERDICTS: Readonly<Record<string, Verdict>> = {
  ENOSPC: FULL,
  EDQUOT: FULL,
  EFBIG: FULL,
  ESTALE: AWAY,
  ENOTCONN: AWAY,
  EHOSTDOWN: AWAY,
  ENODEV: AWAY,
  ENXIO: AWAY,
  EROFS: {
    kind: 'person',
    code: 'E_STORE_READ_ONLY',
    next: 'The folder is on a read-only file system: mount it writable, or choose another folder.',
  },
  EACCES: DENIED,
  EPERM: DENIED,
  EXDEV: NO_LINK,
  ENOTSUP: NO_LINK,
  EOPNOTSUPP: NO_LINK,
  ENOSYS: NO_LINK,
  EIO: {
    kind: 'person',
    code: 'E_STORE_IO',
    next: 'The disk reports errors. Check it before running again: what it says about written bytes cannot be trusted now.',
  },
  EEXIST: PATH,
  ENOTDIR: PATH,
  EISDIR: PATH,
  ELOOP: PATH,
  // This and the next are ours, of folderDirectories.ts.
  EDANGLING: {
    kind: 'person',
    code: 'E_STORE_PATH',
    next: 'Mount what it leads to, or make the link anew, then run again.',
  },
  EOTHERDISK: {
    kind: 'person',
    code: 'E_STORE_OTHER_DISK',
    next: 'Mount what was there again; where the other one is meant, start Mailferry anew.',
  },
  ENAMETOOLONG: {
    kind: 'person',
    code: 'E_STORE_PATH',
    next: "The folder's path is too long for the names in it, which have up to 105 characters: use a shorter one.",
  },
};

/** The errno name of a system error, for example "ENOENT"; undefined for any other value. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  // Node's own codes, of mistakes in the program, all begin with "ERR_".
  return typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}

/** The StoreError for what a system call threw; errors that are none of the file system's pass unchanged. */
export function folderError(error: unknown, at: { operation: string; key: string }, step?: Step): unknown {
  const errno = errnoOf(error);
  if (errno === undefined || error instanceof StoreError) return error;
  const { kind, code, next } = ofSync(error, errno) ? NO_SYNC : verdict(errno, step);
  const words = error instanceof Error ? error.message : errno;
  return new StoreError(
    `${at.operation} ${at.key}: ${words}. ${next}`,
    { kind, code, ...at },
    { cause: error },
  );
}

/** What a file system says that has no fsync, or none of folders: SMB and some of FUSE. */
const UNSYNCED: ReadonlySet<string> = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EPERM']);

function ofSync(error: unknown, errno: string): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'fsync' && UNSYNCED.has(errno);
}

function verdict(errno: string, step: Step): Verdict {
  // QUIRK: Linux answers EPERM, not ENOTSUP, where FAT and exFAT cannot link.
  if (step === 'link' && errno === 'EPERM') return NO_LINK;
  const known = VERDICTS[errno] ?? LATER;
  if (step !== 'after the link' || errno === 'EIO') return known;
  return { kind: 'unknown', code: known.code, next: 'It is there, but may not survive a power cut yet.' };
}
