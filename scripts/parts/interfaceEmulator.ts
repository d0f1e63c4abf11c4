/** Installs AWS's runtime interface emulator: one sandbox of Lambda, with a Runtime API that is not of our making. */
import { BUILD_MS, builtOnce, failureOf, type Installed, type Log } from './cache.ts';

const VERSION = 'v0.0.0-20261030222936-bef5c4ba774d';
const MODULE = `github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie@${VERSION}`;

/** The path of the binary in `cacheFolder`, built there with `go install` the first time. */
export function installInterfaceEmulator(cacheFolder: string, log: Log): Promise<Installed> {
  return builtOnce({
    cacheFolder,
    name: `aws-lambda-rie-${VERSION}`,
    file: 'aws-lambda-rie',
    build: (folder) => {
      log('aws-lambda-rie: building with go install (once; half a minute)');
      return failureOf(['go', 'install', MODULE], { env: { GOBIN: folder }, limitMs: BUILD_MS });
    },
  });
}
