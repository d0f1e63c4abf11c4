/**
 * `npm run build`: bundles what is deployed and installed. Bundled, because each package that a function loads by
 * itself is paid for at every cold start, and because Lambda's own copy of the SDK is not the one that was tested.
 */
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Each becomes a folder with an index.js whose `handler` Lambda calls. */
const FUNCTIONS = ['dispatch', 'fetch', 'parse'] as const;

const COMMON = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  // The SDK's ES modules can be shaken; its "main" is CommonJS, which esbuild must keep whole.
  mainFields: ['module', 'main'],
  minify: true,
  // Stack traces name our files with --enable-source-maps; the map is not loaded without.
  sourcemap: 'external',
  legalComments: 'none',
  // Where there is none it is not asked for; see functions/parse.ts.
  logOverride: { 'empty-import-meta': 'silent' },
  write: false,
  logLevel: 'warning',
} as const satisfies BuildOptions;

export interface Bundle {
  readonly file: string;
  /** Octets, without the source map. */
  readonly size: number;
  readonly gzipped: number;
}

/** The Lambda functions, each in `outdir`/<name>/index.js. CommonJS starts faster than ES modules there. */
export async function buildFunctions(outdir: string): Promise<readonly Bundle[]> {
  return Promise.all(
    FUNCTIONS.map((name) => bundleFunction(join(root, 'functions', `${name}.ts`), join(outdir, name))),
  );
}

/** One function of any source file, in `folder`/index.js. */
export async function bundleFunction(entry: string, folder: string): Promise<Bundle> {
  const bundle = await write(join(folder, 'index.js'), { ...COMMON, format: 'cjs', entryPoints: [entry] });
  // Node takes a .js file's kind from the nearest package.json above, which in this tree says "module".
  await writeFile(join(folder, 'package.json'), '{"type":"commonjs"}\n');
  return bundle;
}

/** The command, one executable file. */
export async function buildCommand(entry: string, file: string): Promise<Bundle> {
  // Bundled CommonJS packages call require(), which ES modules lack.
  const require = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";
  return write(file, {
    ...COMMON,
    format: 'esm',
    entryPoints: [entry],
    banner: { js: `#!/usr/bin/env node\n${require}` },
  });
}

async function write(file: string, options: BuildOptions): Promise<Bundle> {
  const { outputFiles = [] } = await build({ ...options, outfile: file });
  await mkdir(dirname(file), { recursive: true });
  for (const { path, contents } of outputFiles) {
    await writeFile(path, contents);
    if (path.endsWith('.mjs')) await chmod(path, 0o755);
  }
  const code = outputFiles.find(({ path }) => !path.endsWith('.map'))?.contents ?? new Uint8Array();
  return { file, size: code.length, gzipped: gzipSync(code).length };
}

if (import.meta.main) {
  const dist = join(root, 'dist');
  await rm(dist, { recursive: true, force: true });
  const bundles = [
    ...(await buildFunctions(join(dist, 'functions'))),
    await buildCommand(join(root, 'bin', 'mailferry.ts'), join(dist, 'mailferry.mjs')),
  ];
  for (const { file, size, gzipped } of bundles) {
    console.log(
      `${relative(root, file).padEnd(34)}${kilobytes(size)} (${kilobytes(gzipped).trim()} gzipped)`,
    );
  }
}

function kilobytes(size: number): string {
  return `${(size / 1000).toFixed(0).padStart(6)} kB`;
}
