/** versitygw: an S3 server that is right about every condition, over plain files that it does not sync. */
import { type S3Server, startS3Server } from './s3Process.ts';

export type Versitygw = S3Server;

/** `path` is the binary as the suite's installer found it (MAILFERRY_VERSITYGW). */
export function startVersitygw(path: string, folder: string): Promise<Versitygw> {
  return startS3Server(
    {
      name: 'versitygw',
      command: ({ address, data }) => {
        const serving = ['--port', address, '--health', '/health', '--quiet', '--keep-alive'];
        return [path, ...serving, 'posix', data];
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
