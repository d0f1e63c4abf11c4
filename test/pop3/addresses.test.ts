/** Which addresses a function connects to, however they are spelled and whatever a resolver says (T12). */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forbidden, type Reach } from '../../lib/pop3/addresses.ts';
import { type Address, dialTls } from '../../lib/pop3/dial.ts';
import type { Pop3Error } from '../../lib/pop3/errors.ts';
import { failure } from './handLine.ts';
import { realTimer } from './realTimer.ts';

const never = new AbortController().signal;

/** What each is; own: a function may be allowed to reach it. */
const ADDRESSES: readonly (readonly [address: string, what: string, own?: 'own'])[] = [
  ['0.0.0.0', 'unspecified'],
  ['0.1.2.3', 'unspecified'],
  ['10.0.0.1', 'private', 'own'],
  ['10.255.255.255', 'private', 'own'],
  ['100.64.0.1', 'shared by a carrier (RFC 6598)', 'own'],
  ['100.127.255.255', 'shared by a carrier (RFC 6598)', 'own'],
  ['127.0.0.1', 'loopback', 'own'],
  ['127.255.255.254', 'loopback', 'own'],
  ['169.254.169.254', 'link-local'],
  ['169.254.170.2', 'link-local'],
  ['172.16.0.1', 'private', 'own'],
  ['172.31.255.255', 'private', 'own'],
  ['192.0.0.192', 'reserved for protocols'],
  ['192.0.2.1', 'for documentation'],
  ['192.88.99.1', 'a 6to4 relay'],
  ['192.168.0.1', 'private', 'own'],
  ['198.18.0.1', 'for benchmarks'],
  ['198.19.255.255', 'for benchmarks'],
  ['198.51.100.1', 'for documentation'],
  ['203.0.113.1', 'for documentation'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['240.0.0.1', 'reserved or broadcast'],
  ['255.255.255.255', 'reserved or broadcast'],
  ['::', 'unspecified'],
  ['::1', 'loopback', 'own'],
  ['0:0:0:0:0:0:0:1', 'loopback', 'own'],
  ['::ffff:127.0.0.1', 'an IPv4 address in IPv6 form'],
  ['::ffff:7f00:1', 'an IPv4 address in IPv6 form'],
  ['::FFFF:169.254.169.254', 'an IPv4 address in IPv6 form'],
  ['0:0:0:0:0:ffff:a9fe:a9fe', 'an IPv4 address in IPv6 form'],
  ['::ffff:93.184.216.34', 'an IPv4 address in IPv6 form'],
  ['::127.0.0.1', 'an IPv4 address in IPv6 form'],
  ['::ffff:0:127.0.0.1', 'not for global use'],
  ['64:ff9b::169.254.169.254', 'an IPv4 address behind NAT64'],
  ['64:ff9b::7f00:1', 'an IPv4 address behind NAT64'],
  ['64:ff9b:1::10.0.0.1', 'an IPv4 address behind NAT64'],
  ['100::1', 'not for global use'],
  ['2001::1', 'an IPv4 address behind Teredo'],
  ['2001:0:4136:e378:8000:63bf:3fff:fdd2', 'an IPv4 address behind Teredo'],
  ['2001:20::1', 'reserved for protocols'],
  ['2001:db8::1', 'for documentation'],
  ['2002:7f00:1::', 'an IPv4 address behind 6to4'],
  ['2002:a9fe:a9fe::1', 'an IPv4 address behind 6to4'],
  ['3fff::1', 'for documentation'],
  ['4000::1', 'not for global use'],
  ['fc00::1', 'private', 'own'],
  ['fd12:3456:789a::1', 'private', 'own'],
  ['fd00:ec2::254', "the cloud's own services"],
  ['fd00:0ec2:0::0254', "the cloud's own services"],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'link-local'],
  ['fe80::1%25eth0', 'link-local'],
  ['FEBF::1', 'link-local'],
  ['fec0::1', 'site-local'],
  ['ff02::1', 'multicast'],
  ['::1%lo', 'loopback', 'own'],
];

const PUBLIC = [
  '1.1.1.1',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.1',
  '169.253.255.255',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2001:200::1',
  '2001:4860:4860::8888',
  '2606:4700:4700::1111',
  '2a00:1450:4001::1',
  '3ffe::1',
];

describe('an address', () => {
  const rows = ADDRESSES.map(([address, what, own]) => ({ address, what, own }));
  it.each(rows)('$address is $what', ({ address, what, own }) => {
    expect(forbidden(address, 'public')).toBe(what);
    expect(forbidden(address, 'private')).toBe(own === 'own' ? null : what);
    expect(forbidden(address, 'any')).toBeNull();
  });

  it.each(PUBLIC)('%s is public', (address) => {
    expect(forbidden(address, 'public')).toBeNull();
    expect(forbidden(address, 'private')).toBeNull();
  });

  it.each(['', 'localhost', '127.1', '2130706433', '[::1]', '1.1.1.1.', '1.1.1.1 ', ':::', 'x%1.1.1.1'])(
    'is none: %j, and so not connected to',
    (address) => {
      expect(forbidden(address, 'public')).toBe('no address');
      expect(forbidden(address, 'private')).toBe('no address');
    },
  );
});

describe('a host', () => {
  let port = 0;
  let connections = 0;
  const listener = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  beforeAll(async () => {
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    port = (listener.address() as AddressInfo).port;
  });
  afterAll(() => void listener.close());

  const refusal = async (
    host: string,
    reach: Reach,
    resolve?: (host: string) => Promise<readonly Address[]>,
  ) => {
    const dial = dialTls({ timer: realTimer, reach, ...(resolve === undefined ? {} : { resolve }) });
    return failure<Pop3Error>(dial({ host, port }, never));
  };

  // What the system's resolver makes of them is 127.0.0.1, or 169.254.169.254, or nothing.
  it.each([
    'localhost',
    'LOCALHOST',
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '2130706433',
    '017700000001',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '0177.0x0.00.1',
    '0',
    '0.0.0.0',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '::127.0.0.1',
    '169.254.169.254',
    '2852039166',
    '0xa9fea9fe',
    '0xa9.0xfe.0xa9.0xfe',
    '0251.0376.0251.0376',
    '169.254.43518',
    '169.16689662',
    '::ffff:a9fe:a9fe',
    'fd00:ec2::254',
    'fe80::1%lo',
  ])('spelled %s leads nowhere', async (host) => {
    const error = await refusal(host, 'public');
    expect(error).toMatchObject({
      kind: 'person',
      code: 'E_POP3_ADDRESS_FORBIDDEN',
      phase: 'dns',
      bytesOut: 0,
    });
    expect(error.message).toContain(`${host}:${port}`);
    expect(error.message).toMatch(/ is (loopback|link-local|unspecified|an IPv4|the cloud)/);
    expect(connections).toBe(0);
  });

  it.each([
    '[::1]',
    '[::ffff:127.0.0.1]',
    '127.0.0.1.',
    'localhost.',
    '127.0.0.1:25',
    'localhost%00',
    '0x100000001',
    ' 127.0.0.1',
  ])('spelled %j is no name, or leads nowhere', async (host) => {
    const error = await refusal(host, 'public');
    expect(error.code).toMatch(/^E_POP3_(ADDRESS_FORBIDDEN|DNS_NOT_FOUND|DNS_FAILED)$/);
    expect(connections).toBe(0);
  });

  it('that a resolver puts at a forbidden address is named with all of them', async () => {
    const error = await refusal('pop.example.org', 'public', async () => [
      { address: '10.1.2.3', family: 4 },
      { address: 'fd00:ec2::254', family: 6 },
    ]);
    expect(error.code).toBe('E_POP3_ADDRESS_FORBIDDEN');
    expect(error.message).toContain("10.1.2.3 is private; fd00:ec2::254 is the cloud's own services");
    expect(error.message).toContain('MAILFERRY_PRIVATE_ADDRESSES');
  });

  it('whose resolver flips is asked once, and only what was looked at is connected to', async () => {
    let asked = 0;
    const flip = async (): Promise<readonly Address[]> => {
      asked += 1;
      return [{ address: asked === 1 ? '127.0.0.1' : '169.254.169.254', family: 4 }];
    };
    // A second question on the way to the connection would have had the other answer.
    expect((await refusal('flip.example.org', 'private', flip)).phase).toBe('tls');
    expect([asked, connections]).toEqual([1, 1]);
    expect((await refusal('flip.example.org', 'private', flip)).code).toBe('E_POP3_ADDRESS_FORBIDDEN');
    expect([asked, connections]).toEqual([2, 1]);
    connections = 0;
  });

  it('that has forbidden addresses beside others is connected to at the others alone', async () => {
    const resolve = async (): Promise<readonly Address[]> => [
      { address: '127.0.0.1', family: 4 },
      { address: '169.254.169.254', family: 4 },
    ];
    // Allowed here is this machine; what would answer is the listener, and nobody asks the other.
    const error = await refusal('two.example.org', 'private', resolve);
    expect(error.phase).toBe('tls');
    expect(connections).toBe(1);
    connections = 0;
  });

  it('may be anywhere for the command', async () => {
    expect((await refusal('127.1', 'any')).phase).toBe('tls');
    expect(connections).toBe(1);
    connections = 0;
  });
});
