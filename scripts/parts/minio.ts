/** Installs MinIO, a second S3 server for the proof: it syncs what it acknowledges, and locks a key for a whole upload. */
import { BUILD_MS, builtOnce, failureOf, type Installed, type Log } from './cache.ts';

/** Its last tag that Go's module rules accept is years old, so the commit of the release is pinned. */
const VERSION = 'v0.0.0-20260212201848-7aac2a2c5b7c';
const MODULE = `github.com/minio/minio@${VERSION}`;

/**
 * The path of the binary in `cacheFolder`, built there with `go install` the first time. Never throws for what
 * the machine lacks: then what needs it is skipped, with the reason given here.
 */
export function installMinio(cacheFolder: string, log: Log): Promise<Installed> {
  return builtOnce({
    cacheFolder,
    name: `minio-${VERSION}`,
    file: 'minio',
    build: (folder) => {
      log('MinIO: building with go install (once; two to four minutes)');
      return failureOf(['go', 'install', MODULE], { env: { GOBIN: folder }, limitMs: BUILD_MS });
    },
  });
}
