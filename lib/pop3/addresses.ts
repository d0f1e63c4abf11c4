import { BlockList, isIP } from 'node:net';

/**
 * Which addresses may be connected to. 'public': what IANA holds for global use. 'private': networks of one's own
 * as well. 'any': no question asked. A mailbox's host is a setting: where people other than the machine's owner
 * write it, it could name what only this machine can reach.
 */
export type Reach = 'any' | 'private' | 'public';

interface Range {
  readonly net: string;
  readonly prefix: number;
  readonly what: string;
  /** A network of one's own: 'private' reaches it. */
  readonly own?: true;
}

/** IANA's special-purpose registry (RFC 6890), but for what is anycast to everybody. */
const IPV4: readonly Range[] = [
  { net: '0.0.0.0', prefix: 8, what: 'unspecified' },
  { net: '10.0.0.0', prefix: 8, what: 'private', own: true },
  { net: '100.64.0.0', prefix: 10, what: 'shared by a carrier (RFC 6598)', own: true },
  { net: '127.0.0.0', prefix: 8, what: 'loopback', own: true },
  // 169.254.169.254 hands out the credentials of a cloud machine.
  { net: '169.254.0.0', prefix: 16, what: 'link-local' },
  { net: '172.16.0.0', prefix: 12, what: 'private', own: true },
  { net: '192.0.0.0', prefix: 24, what: 'reserved for protocols' },
  { net: '192.0.2.0', prefix: 24, what: 'for documentation' },
  { net: '192.88.99.0', prefix: 24, what: 'a 6to4 relay' },
  { net: '192.168.0.0', prefix: 16, what: 'private', own: true },
  { net: '198.18.0.0', prefix: 15, what: 'for benchmarks' },
  { net: '198.51.100.0', prefix: 24, what: 'for documentation' },
  { net: '203.0.113.0', prefix: 24, what: 'for documentation' },
  { net: '224.0.0.0', prefix: 4, what: 'multicast' },
  { net: '240.0.0.0', prefix: 4, what: 'reserved or broadcast' },
];

/** The first that fits counts. Forms that carry an IPv4 address lead to it, wherever that is. */
const IPV6: readonly Range[] = [
  { net: '::', prefix: 128, what: 'unspecified' },
  { net: '::1', prefix: 128, what: 'loopback', own: true },
  { net: '::ffff:0:0', prefix: 96, what: 'an IPv4 address in IPv6 form' },
  { net: '::', prefix: 96, what: 'an IPv4 address in IPv6 form' },
  { net: '64:ff9b::', prefix: 96, what: 'an IPv4 address behind NAT64' },
  { net: '64:ff9b:1::', prefix: 48, what: 'an IPv4 address behind NAT64' },
  { net: '2001::', prefix: 32, what: 'an IPv4 address behind Teredo' },
  { net: '2001::', prefix: 23, what: 'reserved for protocols' },
  { net: '2001:db8::', prefix: 32, what: 'for documentation' },
  { net: '2002::', prefix: 16, what: 'an IPv4 address behind 6to4' },
  { net: '3fff::', prefix: 20, what: 'for documentation' },
  // fd00:ec2::254 is 169.254.169.254 in IPv6, in the middle of what is otherwise one's own.
  { net: 'fd00:ec2::', prefix: 32, what: "the cloud's own services" },
  { net: 'fc00::', prefix: 7, what: 'private', own: true },
  { net: 'fe80::', prefix: 10, what: 'link-local' },
  { net: 'fec0::', prefix: 10, what: 'site-local' },
  { net: 'ff00::', prefix: 8, what: 'multicast' },
];

/** All that IANA has given out of IPv6 for global use. */
const GLOBAL_IPV6 = listOf({ net: '2000::', prefix: 3 }, 'ipv6');

const LISTED = {
  ipv4: IPV4.map((range) => ({ ...range, list: listOf(range, 'ipv4') })),
  ipv6: IPV6.map((range) => ({ ...range, list: listOf(range, 'ipv6') })),
};

/** What an address is that must not be connected to; null: it may be. Whatever is no address may not. */
export function forbidden(address: string, reach: Reach): string | null {
  if (reach === 'any') return null;
  // A zone (RFC 4007) only says by which of this machine's interfaces.
  const bare = address.replace(/%.*$/s, '');
  const version = isIP(bare);
  if (version === 0) return 'no address';
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const range = LISTED[family].find(({ list }) => list.check(bare, family));
  if (range !== undefined) return reach === 'private' && range.own ? null : range.what;
  return version === 4 || GLOBAL_IPV6.check(bare, 'ipv6') ? null : 'not for global use';
}

/** The same as a word for people: what the public cannot reach, or "public". */
export function whatIs(address: string): string {
  return forbidden(address, 'public') ?? 'public';
}

function listOf({ net, prefix }: Pick<Range, 'net' | 'prefix'>, family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  list.addSubnet(net, prefix, family);
  return list;
}
