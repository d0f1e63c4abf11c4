import { dovecotKind } from './dovecotKind.ts';
import { freePort } from './freePort.ts';
import type { MailServerKind } from './mailServer.ts';
import { makePlace, startSideBySide, versionIn } from './sideBySide.ts';

/** perdition, a proxy that asks for the user and passes the rest on, in front of a Dovecot at `dovecot`. */
export function perditionBefore(dovecot: string): MailServerKind {
  const back = dovecotKind({});
  return {
    changes: back.changes,
    async start(root, mail) {
      const behind = await back.start(dovecot, mail);
      try {
        const proxy = await startProxy(root, behind.port);
        return {
          title: `perdition ${await versionIn(root, 'perdition')} before ${behind.title}`,
          port: proxy.port,
          tls: null,
          users: behind.users,
          log: async () => `${proxy.log()}\n${await behind.log()}`,
          async stop() {
            await proxy.stop();
            await behind.stop();
          },
        };
      } catch (error) {
        await behind.stop();
        throw error;
      }
    },
  };
}

async function startProxy(root: string, behind: number) {
  const place = await makePlace(0, []);
  const port = await freePort();
  const options = {
    '-f': '/dev/null',
    '-P': 'POP3',
    '-b': '127.0.0.1',
    '-l': String(port),
    '-s': '127.0.0.1',
    '-p': String(behind),
    '-M': '',
    '--pid_file': '',
    '-u': 'nobody',
    '-g': 'nogroup',
  };
  const proxy = await startSideBySide(root, place, {
    command: ['/usr/sbin/perdition', '--no_daemon', ...Object.entries(options).flat()],
    port,
  });
  return { ...proxy, port };
}
