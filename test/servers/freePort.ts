import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below what Linux gives to outgoing connections (32768 and up, net.ipv4.ip_local_port_range). A port from above is lost
 * while its server is down: a client that keeps asking for it can be given that very port as its own, and no restart
 * can have it back.
 */
const LOWEST = 10_240;
const BEYOND = 32_768;
const TRIES = 100;

/** A loopback port that nobody listens on, for a server in a process of its own; `besides` is taken soon. */
export async function freePort(besides?: number): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = randomInt(LOWEST, BEYOND);
    if (port !== besides && (await isFree(port))) return port;
  }
  throw new Error(`no free port in ${TRIES} tries from ${LOWEST} up to ${BEYOND}`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
