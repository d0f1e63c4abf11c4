/**
 * Listing a bucket page by page. What is not listed counts as not there, and the probe removes what is: so an answer
 * that is no listing, is another one, or would never end, is an error and no list.
 */
import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { StoreError } from './port.ts';
import { HARMLESS, type S3Calls } from './s3Calls.ts';
import { answerError, NOT_A_STORE, printable } from './s3Errors.ts';

export async function* listObjects(
  calls: S3Calls,
  prefix: string,
): AsyncGenerator<{ readonly key: string; readonly size: number }> {
  const tokens = new Set<string>();
  let first: string | undefined;
  let before = '';
  for (let token: string | undefined; ; ) {
    const page = await pageOf(calls, prefix, token);
    const objects = page.Contents ?? [];
    if (first !== undefined && objects[0]?.Key === first) throw unfit(prefix, 'shows the same page again');
    first = objects[0]?.Key;
    for (const { Key: key = '', Size: size = 0 } of objects) {
      if (!key.startsWith(prefix))
        throw unfit(prefix, `lists ${printable(key)}, which begins with something else`);
      // What ends so is a folder, as consoles and stores on file systems make them: no object of ours.
      if (key !== before && !key.endsWith('/')) yield { key, size };
      before = key;
    }
    if (!page.IsTruncated) return;
    token = page.NextContinuationToken;
    if (!token || tokens.has(token)) throw unfit(prefix, 'says that more follows, and not where');
    tokens.add(token);
  }
}

async function pageOf(
  calls: S3Calls,
  prefix: string,
  token: string | undefined,
): Promise<ListObjectsV2CommandOutput> {
  const input = { Bucket: calls.bucket, Prefix: prefix, ContinuationToken: token };
  const reply = await calls.run({ again: HARMLESS }, async (options) => {
    const page = await calls.client.send(new ListObjectsV2Command(input), options);
    const { IsTruncated, Contents, Name, KeyCount } = page;
    if ((IsTruncated ?? Contents ?? Name ?? KeyCount) === undefined) throw noListing(page);
    return page;
  });
  if ('value' in reply) return reply.value;
  throw answerError(reply.answer, { operation: 'list', key: prefix }, false);
}

/** As a page of a proxy or a console, of which the SDK makes a listing of nothing. */
function noListing({ $metadata }: ListObjectsV2CommandOutput): Error {
  const words = `it is no listing: ${NOT_A_STORE}`;
  return Object.assign(new Error(words), { $metadata });
}

function unfit(prefix: string, what: string): StoreError {
  return new StoreError(
    `list ${prefix}: the store ${what}. What is there cannot be told from that; use another store, or a newer version of it.`,
    { kind: 'person', code: 'E_STORE_UNSUPPORTED', operation: 'list', key: prefix },
  );
}
