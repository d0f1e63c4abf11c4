/**
 * A smaller input for which `keeps` still holds: pieces are left out, halves first, single bytes last. Asks at most
 * `tries` times, so that the result is small, not the smallest.
 */
export async function minimized(
  input: Buffer,
  keeps: (candidate: Buffer) => Promise<boolean>,
  tries: number,
): Promise<Buffer> {
  let kept = input;
  let left = tries;
  for (let size = Math.ceil(input.length / 2); size >= 1 && left > 0; size = Math.floor(size / 2)) {
    for (let at = 0; at < kept.length && left > 0; ) {
      const candidate = Buffer.concat([kept.subarray(0, at), kept.subarray(at + size)]);
      left -= 1;
      if (await keeps(candidate)) kept = candidate;
      else at += size;
    }
  }
  return kept;
}
