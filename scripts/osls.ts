/**
 * `npm run osls -- COMMAND …`: the pinned osls with the functions as they are in the tree, for example
 * `npm run osls -- deploy --stage prod`. docs/deploy.md says what it needs.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildFunctions } from './build.ts';
import { zipFunctions } from './functionsZip.ts';
import { cacheFolder } from './parts/cache.ts';
import { installOsls } from './parts/osls.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const osls = await installOsls(cacheFolder(), console.error);
if ('skipped' in osls) {
  console.error(`osls could not be installed: ${osls.skipped}`);
  process.exit(1);
}

// Always: what is deployed must be what the tree says, and it takes a second.
const dist = join(root, 'dist', 'functions');
await rm(dist, { recursive: true, force: true });
await buildFunctions(dist);
const ca = await readFile(join(root, 'infra', 'ca.pem')).catch(() => null);
await zipFunctions(dist, `${dist}.zip`, ca === null ? {} : { 'ca.pem': ca });

const child = spawn(process.execPath, [osls.path, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
// At Ctrl-C osls gets the signal too, and ends what it has begun.
process.on('SIGINT', () => {});
const [code] = (await once(child, 'exit')) as [number | null];
process.exit(code ?? 1);
