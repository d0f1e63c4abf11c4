import { generate } from 'selfsigned';

/** Certificates for tests, made at run time: PEM, ECDSA P-256, SHA-256. */
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
}

const DAY_MS = 24 * 60 * 60 * 1000;

function options({ fromDays = -1, untilDays = 30 }: CertificateOptions) {
  return {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() + fromDays * DAY_MS),
    notAfterDate: new Date(Date.now() + untilDays * DAY_MS),
  } as const;
}

function named(name: string) {
  return [{ name: 'commonName', value: name }];
}

/** A certificate authority of its own. */
export async function createAuthority(name = 'Test Authority'): Promise<Pair> {
  const made = await generate(named(name), {
    ...options({}),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { cert: made.cert, key: made.private };
}

/** A server's certificate by `authority`; without one, signed by itself. */
export async function issue(authority: Pair | null, wanted: CertificateOptions): Promise<Pair> {
  const { names = [], ips = [] } = wanted;
  const made = await generate(named(names[0] ?? ips[0] ?? 'nameless'), {
    ...options(wanted),
    ...(authority === null ? {} : { ca: { key: authority.key, cert: authority.cert } }),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...names.map((value) => ({ type: 2, value }) as const),
          ...ips.map((ip) => ({ type: 7, ip }) as const),
        ],
      },
    ],
  });
  return { cert: made.cert, key: made.private };
}
