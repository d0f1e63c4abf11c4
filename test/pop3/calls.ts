import type { Pop3Client } from '../../lib/pop3/client.ts';

export const noRow = () => {};

/** Every call that a session has, so that a rule can be tried on all. */
export const CALLS: readonly {
  name: string;
  call: (client: Pop3Client) => Promise<unknown>;
  wire: string;
}[] = [
  { name: 'capa', call: (client) => client.capa(), wire: 'CAPA\r\n' },
  { name: 'uidl', call: (client) => client.uidl(noRow), wire: 'UIDL\r\n' },
  { name: 'list', call: (client) => client.list(noRow), wire: 'LIST\r\n' },
  { name: 'uidlOf', call: (client) => client.uidlOf(7), wire: 'UIDL 7\r\n' },
  { name: 'listOf', call: (client) => client.listOf(7), wire: 'LIST 7\r\n' },
  { name: 'top', call: (client) => client.top(7, 0, noRow), wire: 'TOP 7 0\r\n' },
  { name: 'retr', call: (client) => client.retr(7, noRow), wire: 'RETR 7\r\n' },
  { name: 'dele', call: (client) => client.dele(7), wire: 'DELE 7\r\n' },
  { name: 'noop', call: (client) => client.noop(), wire: 'NOOP\r\n' },
  { name: 'quit', call: (client) => client.quit(), wire: 'QUIT\r\n' },
  { name: 'signIn', call: (client) => client.signIn('u', 'p'), wire: 'USER u\r\n' },
];
