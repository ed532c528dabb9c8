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

test('a bug of ours is not taken for a service that gave no answer', () => {
  const bug = awsFault(new TypeError('defaultProvider is not a function'), 'read the queue q');
  expect([bug.kind, bug.retryable, bug.message]).toEqual([
    'internal',
    false,
    'cannot read the queue q: defaultProvider is not a function. This is a bug in lakegate',
  ]);
  const silence = awsFault(new TypeError('fetch failed', { cause: new Error('bad port') }), 'read the queue q');
  expect([silence.kind, silence.message]).toEqual([
    'unavailable',
    'cannot read the queue q: AWS did not give an answer (bad port). Try again',
  ]);
});
