/** When a mailbox counts as waiting for its server, so that it holds up no other. */
import type { Progress } from '../lib/fetch/report.ts';

/** Even far away a round trip takes half of it; a server that looks up names, or is gone, takes many. */
export const PATIENCE_MS = 500;

/** Each is a connection on which little or nothing comes: cheap, but not free. */
export const BESIDE = 60;

/** A server that sends less in a time drips. */
const BUSY_BYTES = 1024;

/** Calls `busy` when a run has got on: another step, another message, or a good piece of one. */
export function whenOn(busy: () => void): (progress: Progress) => void {
  let last: Progress | undefined;
  return (progress) => {
    const on =
      last === undefined ||
      progress.step !== last.step ||
      progress.stored !== last.stored ||
      progress.bytesReceived >= last.bytesReceived + BUSY_BYTES;
    if (!on) return;
    last = progress;
    busy();
  };
}
