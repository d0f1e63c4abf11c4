// Runs a script of this project on the Node that Lambda runs, whatever Node the machine has (20 or newer).
// First it brings node_modules in line with package-lock.json, so that a fresh clone needs no other command.
// Plain JavaScript: the machine's own Node reads this file.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = join(root, 'node_modules', '.mailferry-lock');

function lockHash() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

function install() {
  const wanted = lockHash();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.error('mailferry: installing the packages that package-lock.json pins (npm ci)');
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) {
    console.error(
      'mailferry: npm ci failed; its words are above. Check the network and the registry, then run again.',
    );
    process.exit(npm.status ?? 1);
  }
  writeFileSync(stamp, wanted);
}

function pinnedNode() {
  const major = Number(process.versions.node.split('.')[0]);
  for (const name of [`node-linux-${process.arch}`]) {
    const path = join(root, 'node_modules', name, 'bin', 'node');
    if (process.platform === 'linux' && existsSync(path)) return path;
  }
  if (major >= 24) return process.execPath;
  console.error(
    `mailferry: needs Node 24; npm pins it for Linux on x64 and arm64, and this is ${process.platform} on ${process.arch} with Node ${process.versions.node}. Install Node 24 and run again.`,
  );
  process.exit(1);
}

const [script, ...args] = process.argv.slice(2);
if (!script) {
  console.error('usage: node scripts/run.mjs SCRIPT [ARGUMENT ...]');
  process.exit(2);
}
install();
const child = spawn(pinnedNode(), [join(root, script), ...args], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  if (signal) process.kill(process.pid, signal);
  process.exit(code ?? 1);
});
