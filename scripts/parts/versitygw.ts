/** Installs versitygw, the S3 server of the store's contract tests: small, strict about conditions and checksums. */
import { BUILD_MS, builtOnce, failureOf, type Installed, type Log } from './cache.ts';

const VERSION = 'v1.8.0';
const MODULE = `github.com/versity/versitygw/cmd/versitygw@${VERSION}`;

/**
 * The path of the binary in `cacheFolder`, built there with `go install` the first time. Never throws for what
 * the machine lacks: then the tests that need it are skipped, with the reason given here.
 */
export function installVersitygw(cacheFolder: string, log: Log): Promise<Installed> {
  return builtOnce({
    cacheFolder,
    name: `versitygw-${VERSION}`,
    file: 'versitygw',
    build: (folder) => {
      log(`versitygw ${VERSION}: building with go install (once; a minute or two)`);
      return failureOf(['go', 'install', MODULE], { env: { GOBIN: folder }, limitMs: BUILD_MS });
    },
  });
}
