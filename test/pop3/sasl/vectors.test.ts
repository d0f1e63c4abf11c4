/** Mechanisms against the examples of the documents that define them. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { oauthBearer, xoauth2 } from '../../../lib/pop3/sasl/bearer.ts';
import { cramMd5 } from '../../../lib/pop3/sasl/cramMd5.ts';
import { external } from '../../../lib/pop3/sasl/external.ts';
import { login } from '../../../lib/pop3/sasl/login.ts';
import type { Mechanism } from '../../../lib/pop3/sasl/mechanism.ts';
import { plain } from '../../../lib/pop3/sasl/plain.ts';
import { SCRAM_SHA_1, SCRAM_SHA_256, Scram } from '../../../lib/pop3/sasl/scram.ts';
import { scramVerified } from '../../servers/scramVerified.ts';

async function answered(mechanism: Mechanism, challenge: string): Promise<string> {
  const step = await mechanism.answer(Buffer.from(challenge));
  return 'say' in step ? step.say.toString() : `complaint: ${step.complaint}`;
}

const RFC_5802 = {
  hash: SCRAM_SHA_1,
  nonce: 'fyko+d2lbbFgONRv9qkxdawL',
  first: 'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
  proof: 'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
  final: 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
};

const RFC_7677 = {
  hash: SCRAM_SHA_256,
  nonce: 'rOprNGfwEbeRWgbNEkqO',
  first: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  proof:
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  final: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

function pencil({ hash, nonce }: typeof RFC_5802): Scram {
  return new Scram(hash, { user: 'user', password: 'pencil', nonce, binding: null });
}

describe.each([
  ['RFC 5802 section 5', RFC_5802],
  ['RFC 7677 section 3', RFC_7677],
])('SCRAM, %s', (_, vector) => {
  it('is as in the example, and the server proves itself', async () => {
    const scram = pencil(vector);
    expect(scram.first.toString()).toBe(`n,,n=user,r=${vector.nonce}`);
    expect(await answered(scram, vector.first)).toBe(vector.proof);
    expect(scram.doubt()).toMatch(/did not prove/);
    expect(await answered(scram, vector.final)).toBe('');
    expect(scram.doubt()).toBeNull();
    expect(await answered(scram, '')).toMatch(/^complaint/);
  });

  it.each([
    ['another nonce', (first: string) => first.replace('r=', 'r=x')],
    ['nothing added to the nonce', (first: string) => first.replace(/r=[^,]*/, `r=${vector.nonce}`)],
    ['no salt', (first: string) => first.replace(/s=[^,]*/, 's=')],
    ['too few iterations', (first: string) => first.replace('i=4096', 'i=4095')],
    ['too many', (first: string) => first.replace('i=4096', 'i=999999999')],
    ['no number of them', (first: string) => first.replace('i=4096', 'i=-1')],
    ['an extension that must be understood', (first: string) => `m=x,${first}`],
    ['nothing', () => ''],
  ])('believes no server that sends %s', async (__, change) => {
    const scram = pencil(vector);
    expect(await answered(scram, change(vector.first))).toMatch(/^complaint/);
    expect(scram.doubt()).not.toBeNull();
  });

  it.each(['v=', 'v=AAAA', `${vector.final.slice(0, -2)}A=`, '', 'x'])(
    'believes no server that ends with %j',
    async (final) => {
      const scram = pencil(vector);
      await answered(scram, vector.first);
      expect(await answered(scram, final)).toMatch(/^complaint/);
      expect(scram.doubt()).not.toBeNull();
    },
  );

  it('believes a proof that stands behind +OK, and nothing else there', async () => {
    const scram = pencil(vector);
    await answered(scram, vector.first);
    const proof = Buffer.from(vector.final).toString('base64');
    for (const said of ['', 'welcome', Buffer.from('v=AAAA').toString('base64'), `${proof.slice(0, 20)}AAAA`])
      expect(scram.doubt(said)).not.toBeNull();
    expect(scram.doubt(proof)).toBeNull();
  });

  it('acknowledges why it is refused, and believes nothing that comes behind', async () => {
    const scram = pencil(vector);
    await answered(scram, vector.first);
    expect(scram.refusal()).toBeNull();
    expect(await answered(scram, 'e=invalid-proof\x07')).toBe('');
    expect(scram.refusal()).toBe('invalid-proof?');
    expect(scram.doubt()).not.toBeNull();
    expect(await answered(scram, vector.final)).toMatch(/^complaint/);
    expect(scram.doubt(Buffer.from(vector.final).toString('base64'))).not.toBeNull();
  });
});

describe('SCRAM', () => {
  it('proves any password for any user, and no other', async () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(
        text,
        text,
        fc.constantFrom(SCRAM_SHA_1, SCRAM_SHA_256),
        async (user, password, hash) => {
          const nonce = randomBytes(18).toString('base64');
          const scram = new Scram(hash, { user, password, nonce, binding: null });
          const serverFirst = `r=${nonce}server,s=${randomBytes(12).toString('base64')},i=4096`;
          const said = {
            first: scram.first.toString(),
            serverFirst,
            final: await answered(scram, serverFirst),
          };
          expect(said.first.split(',')).toHaveLength(4);
          const right = scramVerified(hash, password, said);
          expect(right.isRight).toBe(true);
          expect(scramVerified(hash, `${password}x`, said).isRight).toBe(false);
          expect(await answered(scram, right.verifier)).toBe('');
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each([
    [null, 'SCRAM-SHA-256', 'n,,', ''],
    ['not offered' as const, 'SCRAM-SHA-256', 'y,,', ''],
    [
      { type: 'tls-exporter' as const, data: Buffer.from('bound') },
      'SCRAM-SHA-256-PLUS',
      'p=tls-exporter,,',
      'bound',
    ],
  ])('binds to its channel: %j', async (binding, name, header, data) => {
    const nonce = randomBytes(18).toString('base64');
    const scram = new Scram(SCRAM_SHA_256, { user: 'a=b,c', password: 'secret', nonce, binding });
    expect(scram.name).toBe(name);
    expect(scram.first.toString()).toBe(`${header}n=a=3Db=2Cc,r=${nonce}`);
    const serverFirst = `r=${nonce}server,s=${randomBytes(12).toString('base64')},i=4096`;
    const final = await answered(scram, serverFirst);
    const { isRight, channel } = scramVerified(SCRAM_SHA_256, 'secret', {
      first: scram.first.toString(),
      serverFirst,
      final,
    });
    expect([isRight, channel.toString()]).toEqual([true, header + data]);
  });
});

describe('the other mechanisms', () => {
  it('CRAM-MD5 is as in RFC 2195 section 2', async () => {
    const mechanism = cramMd5('tim', 'tanstaaftanstaaf');
    expect(mechanism.first).toBeNull();
    expect(await answered(mechanism, '<1896.697170952@postoffice.reston.mci.net>')).toBe(
      'tim b913a602c7eda7a495b4e6e7334d3890',
    );
    expect(await answered(mechanism, 'again')).toMatch(/^complaint/);
  });

  it('PLAIN is as in RFC 4616 section 4', async () => {
    const mechanism = plain('tim', 'tanstaaftanstaaf');
    expect(mechanism.first?.toString()).toBe('\0tim\0tanstaaftanstaaf');
    expect(await answered(mechanism, 'more')).toMatch(/^complaint/);
    expect(plain('tim', 'a\0b').complaint).not.toBeNull();
  });

  it('LOGIN says the user, then the password, whatever it is asked', async () => {
    const mechanism = login('tim', 'größe');
    expect(mechanism.first).toBeNull();
    expect([await answered(mechanism, 'Username:'), await answered(mechanism, '')]).toEqual(['tim', 'größe']);
    expect(await answered(mechanism, 'Password:')).toMatch(/^complaint/);
  });

  it('EXTERNAL says nothing, or for whom it acts', () => {
    expect(external().first).toEqual(Buffer.alloc(0));
    expect(external('tim').first?.toString()).toBe('tim');
  });

  it('XOAUTH2 is as Google describes it', async () => {
    const token = 'ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg';
    const mechanism = xoauth2('someuser@example.com', token);
    expect(mechanism.first?.toString('base64')).toBe(
      'dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==',
    );
    expect(mechanism.refusal()).toBeNull();
    const refusal = Buffer.from(
      'eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIG1hYyIsInNjb3BlIjoiaHR0cHM6Ly9tYWlsLmdvb2dsZS5jb20vIn0K',
      'base64',
    );
    expect(await answered(mechanism, refusal.toString())).toBe('');
    expect(mechanism.refusal()).toEqual({ status: '401', scope: 'https://mail.google.com/' });
    expect(mechanism.doubt()).not.toBeNull();
    expect(await answered(mechanism, '{}')).toBe('');
    expect(mechanism.refusal()?.status).toBe('401');
  });

  it('OAUTHBEARER is as in RFC 7628 section 4', async () => {
    const token = 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==';
    const mechanism = oauthBearer('user@example.com', token, { host: 'server.example.com', port: 143 });
    expect(mechanism.first?.toString()).toBe(
      `n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer ${token}\x01\x01`,
    );
    expect(await answered(mechanism, '{"status":"invalid_token","scope":"example_scope"}')).toBe('\x01');
    expect(mechanism.refusal()).toEqual({ status: 'invalid_token', scope: 'example_scope' });
  });

  it.each(['', 'no JSON', 'null', '[]', '{"status":7}', '{"status":"\\u0007"}', '{"scope":{}}'])(
    'a refusal of a token may say anything: %j',
    async (said) => {
      const mechanism = xoauth2('ada', 'token');
      expect(await answered(mechanism, said)).toBe('');
      expect(mechanism.refusal()?.status).toMatch(/^(unknown|7|\?)$/);
    },
  );

  it.each(['a\x01b', 'a\r\nb', 'a\0b'])('no token is begun with that has %j in it', (token) => {
    expect(xoauth2('ada', token).complaint).not.toBeNull();
    expect(oauthBearer(token, 'token', { host: 'h', port: 995 }).complaint).not.toBeNull();
  });
});
