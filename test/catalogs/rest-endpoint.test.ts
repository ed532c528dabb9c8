import { atAwsEndpoint } from '../../src/catalogs/rest-endpoint.ts';
import type { RestCatalogConfig } from '../../src/config/model.ts';

const ENV = { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566/' };

function uriAt(uri: string, auth: RestCatalogConfig['auth'], env: Record<string, string>): string {
  return atAwsEndpoint({ type: 'rest', uri, auth }, env).uri;
}

const sigv4 = (service: 'glue' | 's3tables' | 'execute-api') =>
  ({ kind: 'sigv4', service, region: 'eu-west-1' }) as const;

test("AWS's own endpoints are where the environment says, the service's own variable first; the path stays", () => {
  const uri = 'https://s3tables.eu-west-1.amazonaws.com/iceberg';
  expect(uriAt(uri, sigv4('s3tables'), {})).toBe(uri);
  expect(uriAt(uri, sigv4('s3tables'), ENV)).toBe('http://127.0.0.1:4566/iceberg');
  expect(uriAt(uri, sigv4('s3tables'), { ...ENV, AWS_ENDPOINT_URL_S3TABLES: 'https://proxy' })).toBe(
    'https://proxy/iceberg',
  );
  expect(
    uriAt('https://glue.cn-north-1.amazonaws.com.cn/iceberg/', sigv4('glue'), { AWS_ENDPOINT_URL_GLUE: 'http://g' }),
  ).toBe('http://g/iceberg');
});

test('a server of somebody else is left where it is', () => {
  expect(uriAt('https://catalog.example.com', sigv4('s3tables'), ENV)).toBe('https://catalog.example.com');
  expect(uriAt('https://amazonaws.com.example.com', sigv4('glue'), ENV)).toBe('https://amazonaws.com.example.com');
  const gateway = 'https://abc.execute-api.eu-west-1.amazonaws.com';
  expect(uriAt(gateway, sigv4('execute-api'), ENV)).toBe(gateway);
  expect(uriAt('https://x.amazonaws.com', { kind: 'none' }, ENV)).toBe('https://x.amazonaws.com');
});
