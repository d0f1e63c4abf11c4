/**
 * MinIO: an S3 server that syncs what it acknowledges.
 * QUIRK: it locks a key for the whole body of a PUT, so racing creates wait for each other.
 */
import { type S3Server, startS3Server } from './s3Process.ts';

/** `path` is the binary as the suite's installer found it (MAILFERRY_MINIO). */
export function startMinio(path: string, folder: string): Promise<S3Server> {
  return startS3Server(
    {
      name: 'MinIO',
      command: ({ address, data }) => [path, 'server', data, '--address', address],
      env: ({ accessKey, secretKey }) => ({
        // Where it looks for certificates; it does not start without.
        HOME: folder,
        MINIO_ROOT_USER: accessKey,
        MINIO_ROOT_PASSWORD: secretKey,
        MINIO_BROWSER: 'off',
        MINIO_UPDATE: 'off',
        // It refuses the root disk otherwise, as of no use to anybody but tests.
        MINIO_CI_CD: '1',
      }),
      healthPath: '/minio/health/ready',
    },
    folder,
  );
}
