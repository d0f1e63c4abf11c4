/**
 * A stand-in for Secrets Manager: GetSecretValue of the newest version and PutSecretValue, over AWS's own protocol. It
 * is not the service: no stages, rotation, encryption, permissions or signature check.
 */
import { createHash } from 'node:crypto';
import { AwsJsonError, startAwsJson } from './awsJson.ts';

export interface SecretVault {
  readonly endpoint: string;
  /** By name; a test changes it to rotate, or to take away. */
  readonly secrets: Map<string, string>;
  /** The ids asked for, in order. */
  readonly reads: readonly string[];
  /** Taken from the front, one for each read: the whole call is refused with this. */
  readonly faults: { readonly status: number; readonly type: string }[];
  /** The same for writes; `done`: the write has its effect all the same. */
  readonly putFaults: { readonly status: number; readonly type: string; readonly done?: true }[];
  /** The ids put to, in order, by calls that had an effect. */
  readonly puts: readonly string[];
  stop(): Promise<void>;
}

export async function startSecretVault(secrets: Readonly<Record<string, string>> = {}): Promise<SecretVault> {
  const kept = new Map(Object.entries(secrets));
  const reads: string[] = [];
  const puts: string[] = [];
  const faults: { status: number; type: string }[] = [];
  const putFaults: { status: number; type: string; done?: true }[] = [];
  /** ClientRequestToken → what was put under it, of every secret. */
  const versions = new Map<string, string>();
  const current = new Map<string, { readonly value: string; readonly id: string }>();
  const versionOf = (name: string, value: string) => {
    const put = current.get(name);
    // A test that changes the map makes a version, too.
    return put?.value === value ? put.id : createHash('md5').update(`${name}\n${value}`).digest('hex');
  };
  const server = await startAwsJson({
    'secretsmanager.GetSecretValue': (input) => {
      const id = String(input['SecretId']);
      reads.push(id);
      const fault = faults.shift();
      if (fault) throw new AwsJsonError(fault.type, 'refused by the test', fault.status);
      const name = id.replace(/^arn:.*:secret:/, '');
      const value = kept.get(name);
      if (value === undefined) {
        throw new AwsJsonError(
          'ResourceNotFoundException',
          "Secrets Manager can't find the specified secret.",
        );
      }
      return {
        ARN: `arn:aws:secretsmanager:us-east-1:000000000000:secret:${name}`,
        Name: name,
        SecretString: value,
        VersionId: versionOf(name, value),
      };
    },
    'secretsmanager.PutSecretValue': (input) => {
      const fault = putFaults.shift();
      if (fault !== undefined && fault.done !== true) {
        throw new AwsJsonError(fault.type, 'refused by the test', fault.status);
      }
      const name = String(input['SecretId']).replace(/^arn:.*:secret:/, '');
      const [token, value] = [String(input['ClientRequestToken']), String(input['SecretString'])];
      if (!kept.has(name)) {
        throw new AwsJsonError(
          'ResourceNotFoundException',
          "Secrets Manager can't find the specified secret.",
        );
      }
      const before = versions.get(`${name} ${token}`);
      if (before !== undefined && before !== value) {
        throw new AwsJsonError('ResourceExistsException', 'You can’t modify an existing version.');
      }
      if (before === undefined) {
        versions.set(`${name} ${token}`, value);
        current.set(name, { value, id: token });
        kept.set(name, value);
        puts.push(name);
      }
      if (fault !== undefined) throw new AwsJsonError(fault.type, 'refused by the test', fault.status);
      return { Name: name, VersionId: token };
    },
  });
  return { endpoint: server.endpoint, secrets: kept, reads, puts, faults, putFaults, stop: server.stop };
}
