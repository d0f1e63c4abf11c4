/** Servers that serve the connection on their stdin, started for each one by a real inetd. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from './freePort.ts';
import { type Place, type SideBySide, startSideBySide } from './sideBySide.ts';

/** Connections a minute; inetd stops a service for ten minutes beyond it. */
const MOST = 100_000;

export async function startUnderInetd(
  root: string,
  place: Place,
  program: string,
): Promise<SideBySide & { readonly port: number }> {
  const port = await freePort();
  const row = `127.0.0.1:${port} stream tcp nowait.${MOST} root ${program} ${program.split('/').at(-1)}\n`;
  await writeFile(join(place.etc, 'inetd.conf'), row);
  return { port, ...(await startSideBySide(root, place, { command: ['/usr/sbin/inetd', '-i'], port })) };
}
