/**
 * A stand-in for Secrets Manager: GetSecretValue of the newest version, over AWS's own protocol. It is not the
 * service: no stages, rotation, encryption, permissions or signature check.
 */
import { AwsJsonError, startAwsJson } from './awsJson.ts';

export interface SecretVault {
  readonly endpoint: string;
  /** By name; a test changes it to rotate, or to take away. */
  readonly secrets: Map<string, string>;
  /** The ids asked for, in order. */
  readonly reads: readonly string[];
  /** Taken from the front, one for each read: the whole call is refused with this. */
  readonly faults: { readonly status: number; readonly type: string }[];
  stop(): Promise<void>;
}

export async function startSecretVault(secrets: Readonly<Record<string, string>> = {}): Promise<SecretVault> {
  const kept = new Map(Object.entries(secrets));
  const reads: string[] = [];
  const faults: { status: number; type: string }[] = [];
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
      };
    },
  });
  return { endpoint: server.endpoint, secrets: kept, reads, faults, stop: server.stop };
}
