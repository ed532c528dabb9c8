import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** Gives the text of entries of AWS Secrets Manager, in the region and with the credentials of the process. */
export function openSecretsManager(): (name: string) => Promise<string> {
  const manager = new SecretsManagerClient({});
  return async (id) => {
    const { SecretString, SecretBinary } = await manager.send(new GetSecretValueCommand({ SecretId: id }));
    return SecretString ?? new TextDecoder().decode(SecretBinary);
  };
}
