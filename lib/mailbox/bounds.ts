/** What a mailbox's state may hold, and for how long. Together the parts of a head stay below HEAD_BYTES. */

/** Read at each poll and replaced at each commit; what does not fit is sealed into segments. */
export const HEAD_BYTES = 256 * 1024;

/** Recent records, as JSON: a few hundred. */
export const RECORDS_BYTES = 64 * 1024;

/** Messages that a mailbox may have begun and not finished; then they come first. */
export const OPEN_INTENTS = 500;

/** Intents, as JSON. 500 with UIDLs of usual length need 65 KB; RFC 1939 allows 70 characters, the wild more. */
export const INTENTS_BYTES = 72 * 1024;

/** Failures and set-asides, as JSON: some hundreds. More are a broken mailbox, which a person must look at. */
export const FAILURES_BYTES = 72 * 1024;

/** Messages over the size limit that are told of one by one, as JSON: some hundred and fifty. */
export const TOO_LARGE_BYTES = 20 * 1024;

/** Why a message failed, in the words of a server or a store; their beginning tells. */
export const FAILURE_CHARACTERS = 300;

/**
 * Records of one segment, about 0.3 MB compressed. Smaller ones are merged into their successors, larger ones
 * are left: a segment is unpacked in memory as a whole, and a million records still are few enough names.
 */
export const SEGMENT_RECORDS = 4096;

/** Seeds of one document: they are a third as large as records, and a million of them are written before any mail. */
export const SEGMENT_SEEDS = 50_000;

/** Unpacked, no segment of ours comes near; more is a document that was made to exhaust us. */
export const SEGMENT_UNPACKED_BYTES = 64 * 1024 * 1024;

/** How often records are held against a listing, to notice what has vanished from the server. */
export const SWEEP_MS = 7 * 24 * 3_600_000;

/** A record is dropped once its UIDL was missing from each sweep for so long: servers lose and restore mailboxes. */
export const VANISHED_KEPT_MS = 28 * 24 * 3_600_000;

/**
 * A write that was given up may land late; an intent whose message is gone from the server is kept for so long, and
 * so is a failure, since one short listing does not mean that a message is gone.
 */
export const VANISHED_INTENT_MS = 24 * 3_600_000;

/** The same, where what is kept leaves no room for new mail: hardly any write lands later. */
export const VANISHED_INTENT_FULL_MS = 3_600_000;

/** A segment that no head names is garbage of a write that did not win; a younger one may be about to be named. */
export const UNNAMED_KEPT_MS = 7 * 24 * 3_600_000;
