import { awsCode, awsFault, isMissing } from '../../src/aws/aws-fault.ts';

const error = (name: string, message = 'so', more: object = {}) => Object.assign(new Error(message), { name, ...more });

test.each([
  ['CredentialsProviderError', 'config', 'no AWS credentials were found'],
  ['ExpiredTokenException', 'config', 'the AWS session has expired'],
  ['UnrecognizedClientException', 'config', 'AWS does not know these credentials'],
  ['AccessDeniedException', 'config', 'these credentials may not (AccessDeniedException)'],
  ['AccessDenied', 'config', 'these credentials may not (AccessDenied)'],
  ['ThrottlingException', 'unavailable', 'AWS did not give an answer (ThrottlingException)'],
  ['TimeoutError', 'unavailable', 'AWS did not give an answer (TimeoutError)'],
])('%s is of kind %s', (name, kind, words) => {
  const fault = awsFault(error(name), 'look at the queue q');
  expect(fault.kind).toBe(kind);
  expect(fault.message).toContain(`cannot look at the queue q: ${words}`);
});

test("what Node says of a connection is found below fetch's own words", () => {
  const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  expect(awsCode(new TypeError('fetch failed', { cause: refused }))).toBe('ECONNREFUSED');
  expect(awsCode('no error')).toBe('');
});

test('the signed request of an SDK error goes no further', () => {
  const fault = awsFault(error('Odd', 'so', { $response: { headers: { authorization: 'secret' } } }), 'do it');
  expect(JSON.stringify([fault.context, fault.cause])).not.toContain('secret');
});

test.each([
  [error('ResourceNotFoundException'), true],
  [error('QueueDoesNotExist'), true],
  [error('AWS.SimpleQueueService.NonExistentQueue'), true],
  [error('NoSuchBucket'), true],
  [error('ValidationError', 'Stack with id x does not exist'), true],
  [error('ValidationError', 'Malformed'), false],
  [error('AccessDenied', 'so', { $metadata: { httpStatusCode: 403 } }), false],
  [error('NotFound', 'so', { $metadata: { httpStatusCode: 404 } }), true],
])('whether a thing is missing: %s', (fault, expected) => {
  expect(isMissing(fault)).toBe(expected);
});
