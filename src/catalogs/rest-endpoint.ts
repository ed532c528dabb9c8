import type { RestCatalogConfig } from '../config/model.ts';

/** Hosts of AWS's own endpoints; another address was chosen by somebody and stays. */
const AWS_HOST = /\.amazonaws\.com(\.cn)?$|\.api\.aws$/;

/**
 * A catalogue of AWS at the endpoint that the environment names, as AWS's own clients take it: AWS_ENDPOINT_URL_<SERVICE>, else AWS_ENDPOINT_URL
 * (AWS SDKs reference guide, "Service-specific endpoints"). The path stays.
 */
export function atAwsEndpoint(
  config: RestCatalogConfig,
  env: Readonly<Record<string, string | undefined>>,
): RestCatalogConfig {
  const { auth, uri } = config;
  if (auth.kind !== 'sigv4' || auth.service === 'execute-api' || !AWS_HOST.test(new URL(uri).hostname)) return config;
  const endpoint = env[`AWS_ENDPOINT_URL_${auth.service.toUpperCase()}`] || env.AWS_ENDPOINT_URL;
  if (!endpoint) return config;
  return { ...config, uri: `${endpoint.replace(/\/+$/, '')}${new URL(uri).pathname.replace(/\/+$/, '')}` };
}
