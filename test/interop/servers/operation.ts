import type { IncomingHttpHeaders } from 'node:http';

/** One request to AWS, as a fault is aimed at it. */
export interface AwsRequest {
  method: string;
  /** `s3`, `glue`, `events`…: as the signature names it. */
  service: string;
  /** `s3:PutObject`, `glue:UpdateTable`, `events:PutEvents`…; of S3 only what the gate does. */
  operation: string;
  /** Path and query as sent: of S3 path style, `/bucket/key?…`. */
  target: string;
}

/** Tells from a request what it asks for. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html */
export function awsRequest(method: string, target: string, headers: IncomingHttpHeaders): AwsRequest {
  const service = serviceOf(headers, target);
  const operation = service === 's3' ? s3Operation(method, target, headers) : actionOf(headers, method);
  return { method, service, operation: `${service}:${operation}`, target };
}

/** From the signature: `Credential=KEY/20250101/us-east-1/s3/aws4_request`, in the header or the query. */
function serviceOf(headers: IncomingHttpHeaders, target: string): string {
  const signature = `${headers.authorization ?? ''} ${decodeURIComponent(target.split('?')[1] ?? '')}`;
  return /Credential=[^/\s]+\/\d+\/[^/]+\/([^/]+)\/aws4_request/.exec(signature)?.[1] ?? 'unsigned';
}

/** `X-Amz-Target: AWSGlue.UpdateTable`. */
function actionOf(headers: IncomingHttpHeaders, method: string): string {
  return String(headers['x-amz-target'] ?? method)
    .split('.')
    .at(-1)!;
}

function s3Operation(method: string, target: string, headers: IncomingHttpHeaders): string {
  const [path = '', query = ''] = target.split('?');
  const isObject = path.split('/').slice(2).join('/') !== '';
  const parameters = new URLSearchParams(query);
  if (!isObject) {
    if (parameters.has('delete')) return 'DeleteObjects';
    if (method === 'GET') return parameters.has('uploads') ? 'ListMultipartUploads' : 'ListObjects';
    return method === 'HEAD' ? 'HeadBucket' : `${method}Bucket`;
  }
  const isCopy = headers['x-amz-copy-source'] !== undefined;
  if (method === 'PUT' && parameters.has('partNumber')) return isCopy ? 'UploadPartCopy' : 'UploadPart';
  if (method === 'PUT') return isCopy ? 'CopyObject' : 'PutObject';
  if (method === 'POST') return parameters.has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload';
  if (method === 'DELETE') return parameters.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject';
  return method === 'HEAD' ? 'HeadObject' : 'GetObject';
}
