import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { User } from './mailServer.ts';

/** Signs in without TLS, gives these commands of one line each, and quits; resolves to their answers. */
export async function converse(
  port: number,
  { name, password }: User,
  commands: readonly string[],
): Promise<readonly string[]> {
  const socket = connect({ port, host: '127.0.0.1' });
  const replies = createInterface({ input: socket })[Symbol.asyncIterator]();
  const answers: string[] = [];
  try {
    await replies.next();
    for (const command of [`USER ${name}`, `PASS ${password}`, ...commands, 'QUIT']) {
      socket.write(`${command}\r\n`);
      const { value = '' } = await replies.next();
      if (!value.startsWith('+OK')) throw new Error(`${command.split(' ')[0]} was answered: ${value}`);
      answers.push(value);
    }
  } finally {
    socket.destroy();
  }
  return answers.slice(2, -1);
}

/** UIDLs that are listed, in order. */
export async function uidlsOf(port: number, { name, password }: User): Promise<readonly string[]> {
  const socket = connect({ port, host: '127.0.0.1' });
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const next = async () => {
    const { done, value = '' } = await lines.next();
    if (done || value.startsWith('-ERR'))
      throw new Error(`${name} cannot be listed: ${value || 'the line ended'}`);
    return value;
  };
  const uidls: string[] = [];
  try {
    await next();
    for (const command of [`USER ${name}`, `PASS ${password}`, 'UIDL']) {
      socket.write(`${command}\r\n`);
      await next();
    }
    for (let row = await next(); row !== '.'; row = await next()) uidls.push(row.split(' ')[1] ?? '');
    socket.write('QUIT\r\n');
    await next();
  } finally {
    socket.destroy();
  }
  return uidls;
}
