/**
 * A line with a delay, in a process of its own: delayProxy.ts PORT DELAY_MS. Every byte passes so many milliseconds
 * after it came, each way; order and bandwidth stay. Its first line of output is the port that it listens on.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Far more than a loopback line carries within the delay; beyond it the sender waits. */
const MAX_QUEUED_BYTES = 64 * 1024 * 1024;

const [target = 0, delayMs = 0] = process.argv.slice(2).map(Number);

const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  const upstream = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  for (const socket of [client, upstream]) {
    socket.on('error', () => {
      client.destroy();
      upstream.destroy();
    });
  }
  carry(client, upstream);
  carry(upstream, client);
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));

function carry(from: Socket, to: Socket): void {
  if (delayMs === 0) {
    from.pipe(to);
    return;
  }
  const queue: { readonly dueMs: number; readonly chunk: Buffer | null }[] = [];
  let queuedBytes = 0;
  let waiting = false;
  const push = (chunk: Buffer | null) => {
    queue.push({ dueMs: performance.now() + delayMs, chunk });
    queuedBytes += chunk?.length ?? 0;
    if (queuedBytes > MAX_QUEUED_BYTES) from.pause();
    if (!waiting) wait();
  };
  const wait = () => {
    const next = queue[0];
    waiting = next !== undefined;
    if (next) setTimeout(pass, Math.max(0, next.dueMs - performance.now()));
  };
  const pass = () => {
    const nowMs = performance.now();
    let room = true;
    for (let next = queue[0]; room && next && next.dueMs <= nowMs; next = queue[0]) {
      queue.shift();
      if (next.chunk === null) to.end();
      else room = to.write(next.chunk);
      queuedBytes -= next.chunk?.length ?? 0;
    }
    if (queuedBytes <= MAX_QUEUED_BYTES) from.resume();
    if (room) wait();
    else to.once('drain', wait);
  };
  from.on('data', push).on('end', () => push(null));
}
