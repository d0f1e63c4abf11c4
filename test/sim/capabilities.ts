/** What the simulated server says that it can (RFC 2449). */
import type { Answer } from './lineFaults.ts';
import type { Manners } from './maildrop.ts';

export function capabilitiesOf({
  capaRefused,
  loginDelaySeconds: delay,
  top,
  pipelining,
  uidls,
}: Manners): Answer {
  if (capaRefused) return { status: '-ERR unknown command' };
  const lines = [
    ...(uidls === 'none' ? [] : ['UIDL']),
    'USER',
    'RESP-CODES',
    ...(top === 'refused' ? [] : ['TOP']),
    ...(pipelining === 'not announced' ? [] : ['PIPELINING']),
    ...(delay > 0 ? [`LOGIN-DELAY ${delay}`] : []),
  ];
  return { status: '+OK', body: Buffer.from(`${lines.join('\r\n')}\r\n.\r\n`) };
}
