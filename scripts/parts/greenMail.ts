/** Gets GreenMail, a POP3 server in Java that serves test suites and departs from the RFCs in many small ways. */
import { join } from 'node:path';
import { builtOnce, failureOf, type Installed, type Log } from './cache.ts';

const VERSION = '2.1.13';
const FILE = `greenmail-standalone-${VERSION}.jar`;
const ARTIFACT = `com.icegreen:greenmail-standalone:${VERSION}`;

/** The path of the archive that `java -jar` runs. Never throws for what is lacking. */
export async function installGreenMail(cacheFolder: string, log: Log): Promise<Installed> {
  const java = await failureOf(['java', '-version']);
  if (java !== undefined) return { skipped: `GreenMail needs Java 11 or newer: ${java}` };
  return builtOnce({
    cacheFolder,
    name: `greenmail-${VERSION}`,
    file: FILE,
    build: async (folder) => {
      log(`GreenMail ${VERSION}: getting it with Maven (once; half a minute)`);
      const got = await failureOf([
        'mvn',
        '-q',
        'dependency:get',
        `-Dartifact=${ARTIFACT}`,
        '-Dtransitive=false',
      ]);
      if (got !== undefined) return got;
      const options = [
        `-Dartifact=${ARTIFACT}`,
        `-DoutputDirectory=${join(folder)}`,
        '-Dmdep.useBaseVersion',
      ];
      return failureOf(['mvn', '-q', '-o', 'dependency:copy', ...options]);
    },
  });
}
