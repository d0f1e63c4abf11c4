import { once } from 'node:events';
import { connect } from 'node:net';

/** A connection that is neither refused nor greeted: try another. */
const GREETING_MS = 5_000;

/** Whether something on this port greets as a POP3 server does. */
export async function greeting(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    const [bytes] = (await once(socket, 'data', { signal: AbortSignal.timeout(GREETING_MS) })) as [Buffer];
    return bytes.toString('latin1').startsWith('+OK');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
