/** versitygw: an S3 server that is right about every condition, over plain files that it does not sync. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type S3Server, startS3Server } from './s3Process.ts';

export type Versitygw = S3Server;

/**
 * `path` is the binary as the suite's installer found it (MAILFERRY_VERSITYGW). `versions`: whether buckets can keep the
 * versions of their objects, and so be locked.
 */
export async function startVersitygw(
  path: string,
  folder: string,
  { versions = false }: { readonly versions?: boolean } = {},
): Promise<Versitygw> {
  if (versions) await mkdir(join(folder, 'versions'), { recursive: true });
  return startS3Server(
    {
      name: 'versitygw',
      command: ({ address, data }) => {
        const serving = ['--port', address, '--health', '/health', '--quiet', '--keep-alive'];
        const keeping = versions ? ['--versioning-dir', join(folder, 'versions')] : [];
        return [path, ...serving, 'posix', ...keeping, data];
      },
      env: ({ accessKey, secretKey }) => ({
        ROOT_ACCESS_KEY_ID: accessKey,
        ROOT_SECRET_ACCESS_KEY: secretKey,
      }),
      healthPath: '/health',
    },
    folder,
  );
}
