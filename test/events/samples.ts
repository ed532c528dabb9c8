/** Events as AWS documents them (S3 User Guide: "EventBridge event message structure", "Event message structure"; SNS and SQS likewise). */

export const TEST_EVENT = {
  Service: 'Amazon S3',
  Event: 's3:TestEvent',
  Time: '2026-11-12T00:00:00.000Z',
  Bucket: 'raw-bucket',
  RequestId: '5582815E1AEA5ADF',
  HostId: '8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE',
};

interface Put {
  key: string;
  bucket?: string;
  size?: number;
  etag?: string;
  version?: string;
}

/** EventBridge's event of an object that was put, or of another type. */
export function created({
  key,
  bucket = 'raw-bucket',
  size = 5,
  etag,
  version,
  type = 'Object Created',
}: Put & { type?: string }) {
  return {
    version: '0',
    id: '17793124-05d4-b198-2fde-7ededc63b103',
    'detail-type': type,
    source: 'aws.s3',
    account: '111122223333',
    time: '2026-11-12T00:00:00Z',
    region: 'eu-central-1',
    resources: [`arn:aws:s3:::${bucket}`],
    detail: {
      version: '0',
      bucket: { name: bucket },
      object: {
        key,
        size,
        etag: etag ?? 'b1946ac92492d2347c6235b4d2611184',
        ...(version !== undefined && { 'version-id': version }),
        sequencer: '617f08299329d189',
      },
      'request-id': 'N4N7GDK58NMKJ12R',
      requester: '123456789012',
      'source-ip-address': '1.2.3.4',
      reason: 'PutObject',
    },
  };
}

/** S3's own notification; keys are encoded as S3 does. */
export function notification(puts: readonly (Put & { eventName?: string })[]) {
  return {
    Records: puts.map(
      ({ key, bucket = 'raw-bucket', size = 1024, etag, version, eventName = 'ObjectCreated:Put' }) => ({
        eventVersion: '2.3',
        eventSource: 'aws:s3',
        awsRegion: 'eu-central-1',
        eventTime: '2026-11-12T00:00:00.000Z',
        eventName,
        userIdentity: { principalId: 'AWS:EXAMPLE' },
        requestParameters: { sourceIPAddress: '1.2.3.4' },
        responseElements: { 'x-amz-request-id': 'C3D13FE58DE4C810', 'x-amz-id-2': 'EXAMPLE' },
        s3: {
          s3SchemaVersion: '1.0',
          configurationId: 'drops',
          bucket: { name: bucket, ownerIdentity: { principalId: 'A3NL1KOZZKExample' }, arn: `arn:aws:s3:::${bucket}` },
          object: {
            key: encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/'),
            size,
            eTag: etag ?? 'd41d8cd98f00b204e9800998ecf8427e',
            ...(version !== undefined && { versionId: version }),
            sequencer: '0A1B2C3D4E5F678901',
          },
        },
      }),
    ),
  };
}

/** A message of SNS, as a function gets it and as a queue gets it. */
export function sns(event: object) {
  const envelope = {
    Type: 'Notification',
    MessageId: '95df01b4-ee98-5cb9-9903-4c221d41eb5e',
    TopicArn: 'arn:aws:sns:eu-central-1:111122223333:drops',
    Subject: 'Amazon S3 Notification',
    Message: JSON.stringify(event),
    Timestamp: '2026-11-12T00:00:00.000Z',
  };
  return {
    toLambda: { Records: [{ EventSource: 'aws:sns', EventVersion: '1.0', Sns: envelope }] },
    toQueue: envelope,
  };
}

/** A batch of a queue, a body for each message: `m0`, `m1` … */
export function batch(bodies: readonly (object | string)[]) {
  return {
    Records: bodies.map((body, index) => ({
      messageId: `m${index}`,
      receiptHandle: 'AQEB',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      attributes: {
        ApproximateReceiveCount: '1',
        SentTimestamp: '1762905600000',
        SenderId: 'AIDA',
        ApproximateFirstReceiveTimestamp: '1762905600001',
      },
      messageAttributes: {},
      md5OfBody: 'e4e68fb7bd0e697a0ae8f1bb342846b3',
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:eu-central-1:111122223333:lake-dev-gate',
      awsRegion: 'eu-central-1',
    })),
  };
}
