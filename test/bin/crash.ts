/** Loaded before the command: once the password is on its way, the process fails as CRASH says. */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { TLSSocket } from 'node:tls';

const how = process.env['CRASH'];
const unexpected = () => new Error('unexpected in the middle');

function fail(): void {
  if (how === 'SIGKILL') process.kill(process.pid, 'SIGKILL');
  if (how === 'beside')
    setImmediate(() => {
      throw unexpected();
    });
  if (how !== 'in a call') return;
  crypto.createHash = () => {
    throw unexpected();
  };
  syncBuiltinESMExports();
}

const { write } = TLSSocket.prototype;
Object.assign(TLSSocket.prototype, {
  write(this: TLSSocket, ...given: unknown[]): boolean {
    const sent: boolean = Reflect.apply(write, this, given);
    const [bytes] = given;
    if (bytes instanceof Uint8Array && Buffer.from(bytes).toString('latin1').startsWith('PASS ')) fail();
    return sent;
  },
});
