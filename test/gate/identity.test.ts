import { deliveryId, dropOf, expectedOf } from '../../src/gate/identity.ts';

const URL = 's3://raw/orders/a b+c.parquet';
const ETAG = '9bb58f26192e4ba00f01e2e7b136bbd8';

test('an object version is one delivery, whichever way it was heard of', () => {
  const event = dropOf(URL, { size: 10, etag: ETAG, version: 'v1' });
  const head = dropOf(URL, { size: 10, etag: `"${ETAG}"`, version: 'v1' });
  expect(head).toEqual(event);
  expect(event).toEqual({ url: URL, version: 'v1', size: 10, etag: ETAG });
  expect(deliveryId(head)).toBe(deliveryId(event));
});

test.each([undefined, '', 'null'])(
  'version %j of a bucket that keeps none: the ETag tells versions apart',
  (version) => {
    const seen = { size: 10, etag: ETAG, ...(version === undefined ? {} : { version }) };
    expect(dropOf(URL, seen)).toEqual({ url: URL, version: ETAG, size: 10 });
    expect(deliveryId(dropOf(URL, { ...seen, etag: `"${ETAG}"` }))).toBe(deliveryId(dropOf(URL, seen)));
  },
);

test('the same bytes put again are a delivery of their own where versions are kept', () => {
  const [first, second] = ['v1', 'v2'].map((version) => deliveryId(dropOf(URL, { size: 10, etag: ETAG, version })));
  expect(first).not.toBe(second);
});

test.each(['v1', undefined])('what is asked of the store is the version that was heard of (%j)', (version) => {
  const seen = { size: 10, etag: ETAG, ...(version === undefined ? {} : { version }) };
  expect(expectedOf(dropOf(URL, seen))).toEqual(seen);
});

test('the id of a delivery never changes: records of earlier releases are found by it', () => {
  expect(deliveryId({ url: 'file:///raw/orders/a.parquet', version: 'v1' })).toBe('694e14e8409a679bd049');
});
