/** Installs what the deployed suite has from PyPI, each in an environment of its own, with every version pinned. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtOnce, failureOf, type Installed, type Log } from './cache.ts';

/** Its Python; to be run with `-m`, for the scripts beside it name the folder that it was made in. */
const PYTHON = join('bin', 'python');

function installPackage(
  name: 'ministack' | 'cfn-lint',
): (cacheFolder: string, log: Log) => Promise<Installed> {
  const requirements = fileURLToPath(new URL(`python/${name}.txt`, import.meta.url));
  return async (cacheFolder, log) => {
    const pins = createHash('sha256').update(await readFile(requirements));
    return builtOnce({
      cacheFolder,
      name: `${name}-${pins.digest('hex').slice(0, 12)}`,
      file: PYTHON,
      build: async (folder) => {
        log(`${name}: installing with pip (once; half a minute)`);
        const made = await failureOf(['python3', '-m', 'venv', folder]);
        if (made !== undefined) return `${made}; Python's venv module is needed`;
        return failureOf([
          join(folder, PYTHON),
          ...[
            '-m',
            'pip',
            'install',
            '--quiet',
            '--disable-pip-version-check',
            '--requirement',
            requirements,
          ],
        ]);
      },
    });
  };
}

/** An emulator of AWS in one process, whose Lambda runs Node from PATH. */
export const installMinistack = installPackage('ministack');

/** Knows what CloudFormation refuses, by AWS's own schemas of resources. */
export const installCfnLint = installPackage('cfn-lint');
