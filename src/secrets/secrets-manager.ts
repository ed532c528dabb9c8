import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** Gives the text of entries of AWS Secrets Manager, with the credentials of the process. @param region default: that of the process */
export function openSecretsManager(region?: string): (name: string) => Promise<string> {
  const manager = new SecretsManagerClient(region === undefined ? {} : { region });
  return async (id) => {
    const { SecretString, SecretBinary } = await manager.send(new GetSecretValueCommand({ SecretId: id }));
    return SecretString ?? new TextDecoder().decode(SecretBinary);
  };
}
