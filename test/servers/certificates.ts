import { generate } from 'selfsigned';

/** Certificates for tests, made at run time: PEM; ECDSA P-256 and SHA-256 unless asked for others. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  readonly names?: readonly string[];
  readonly ips?: readonly string[];
  /** Days from now; negative is in the past. */
  readonly fromDays?: number;
  readonly untilDays?: number;
  /** Default: the first name or address. */
  readonly commonName?: string;
  /** What it may be used for; default: by a server. */
  readonly purpose?: 'server' | 'client';
  /** It may sign others. */
  readonly authority?: boolean;
  /** RSA; an RSA certificate's issuer must be RSA too. */
  readonly rsaBits?: number;
  readonly hash?: 'sha1' | 'sha256' | 'sha384' | 'sha512';
}

const DAY_MS = 24 * 60 * 60 * 1000;

function options({ fromDays = -1, untilDays = 30, rsaBits, hash = 'sha256' }: CertificateOptions) {
  return {
    ...(rsaBits === undefined
      ? ({ keyType: 'ec', curve: 'P-256' } as const)
      : ({ keyType: 'rsa', keySize: rsaBits } as const)),
    algorithm: hash,
    notBeforeDate: new Date(Date.now() + fromDays * DAY_MS),
    notAfterDate: new Date(Date.now() + untilDays * DAY_MS),
  };
}

function named(name: string) {
  return [{ name: 'commonName', value: name }];
}

/** A certificate authority of its own, or one that `issuer` vouches for. */
export async function createAuthority(
  name = 'Test Authority',
  wanted: Pick<CertificateOptions, 'rsaBits' | 'hash' | 'fromDays' | 'untilDays'> = {},
  issuer: Pair | null = null,
): Promise<Pair> {
  const made = await generate(named(name), {
    ...options(wanted),
    ...signedBy(issuer),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { cert: made.cert, key: made.private };
}

/** A server's certificate by `authority`; without one, signed by itself. */
export async function issue(authority: Pair | null, wanted: CertificateOptions): Promise<Pair> {
  const { names = [], ips = [], purpose = 'server' } = wanted;
  const altNames = [
    ...names.map((value) => ({ type: 2, value }) as const),
    ...ips.map((ip) => ({ type: 7, ip }) as const),
  ];
  const made = await generate(named(wanted.commonName ?? names[0] ?? ips[0] ?? 'nameless'), {
    ...options(wanted),
    ...signedBy(authority),
    extensions: [
      { name: 'basicConstraints', cA: wanted.authority ?? false, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: wanted.authority ?? false, critical: true },
      { name: 'extKeyUsage', serverAuth: purpose === 'server', clientAuth: purpose === 'client' },
      ...(altNames.length === 0 ? [] : [{ name: 'subjectAltName', altNames } as const]),
    ],
  });
  return { cert: made.cert, key: made.private };
}

function signedBy(authority: Pair | null) {
  return authority === null ? {} : { ca: { key: authority.key, cert: authority.cert } };
}

export interface Loopback extends Pair {
  /** What vouches for it, PEM. */
  readonly ca: string;
}

let loopback: Promise<Loopback> | undefined;

/** A server's certificate for this machine, one a process: making keys takes longer than most tests. */
export function loopbackPair(): Promise<Loopback> {
  loopback ??= createAuthority().then(async (authority) => ({
    ...(await issue(authority, { names: ['localhost'], ips: ['127.0.0.1'] })),
    ca: authority.cert,
  }));
  return loopback;
}
