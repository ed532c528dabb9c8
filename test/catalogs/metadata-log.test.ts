import { isPacked, nextMetadataLocation, supersededFiles, withPredecessor } from '../../src/catalogs/metadata-log.ts';
import { newTableMetadata } from '../../src/iceberg/create.ts';
import type { TableMetadata } from '../../src/iceberg/model.ts';

const uuid = '6c97e413-d51b-4538-ac70-12fe2a85cb83';

function metadata(properties: Record<string, string> = {}, logged: string[] = []): TableMetadata {
  const created = newTableMetadata({
    schema: { type: 'struct', schemaId: 0, fields: [{ id: 1, name: 'id', required: false, type: 'long' }] },
    spec: { specId: 0, fields: [] },
    properties,
    location: 's3://lake/t/',
    uuid,
    nowMs: 1000,
  });
  return { ...created, metadataLog: logged.map((metadataFile, i) => ({ timestampMs: i, metadataFile })) };
}

describe('the next metadata file', () => {
  test.each([
    [undefined, '00000'],
    [`s3://lake/t/metadata/00001-${uuid}.metadata.json`, '00002'],
    [`s3://lake/t/metadata/00009-${uuid}.gz.metadata.json`, '00010'],
    [`/x/99999-${uuid}.metadata.json`, '100000'],
    ['s3://lake/t/metadata/v3.metadata.json', '00000'],
  ])('after %s is number %s', (base, number) => {
    expect(nextMetadataLocation(metadata(), base, uuid)).toBe(`s3://lake/t/metadata/${number}-${uuid}.metadata.json`);
  });

  test('is named for its codec where the table asks for gzip', () => {
    const md = metadata({ 'write.metadata.compression-codec': 'GZIP' });
    const location = nextMetadataLocation(md, undefined, uuid);
    expect(location).toBe(`s3://lake/t/metadata/00000-${uuid}.gz.metadata.json`);
    expect([location, location.replace('.gz', '')].map(isPacked)).toEqual([true, false]);
  });

  test('lies where write.metadata.path says', () => {
    const md = metadata({ 'write.metadata.path': 's3://other/meta/' });
    expect(nextMetadataLocation(md, undefined, uuid)).toBe(`s3://other/meta/00000-${uuid}.metadata.json`);
  });
});

describe('the metadata log', () => {
  const base = { identifier: { namespace: ['a'], name: 't' }, metadataLocation: 'm3', metadata: metadata() };

  test.each([
    [{}, ['m1', 'm2', 'm3']],
    [{ 'write.metadata.previous-versions-max': '2' }, ['m2', 'm3']],
    [{ 'write.metadata.previous-versions-max': '0' }, ['m3']],
    [{ 'write.metadata.previous-versions-max': 'many' }, ['m1', 'm2', 'm3']],
  ])('with %j keeps %j', (properties: Record<string, string>, kept) => {
    const next = withPredecessor(metadata(properties, ['m1', 'm2']), base);
    expect(next.metadataLog.map((entry) => entry.metadataFile)).toEqual(kept);
    expect(next.metadataLog.at(-1)).toEqual({ timestampMs: 1000, metadataFile: 'm3' });
  });

  test('keeps 100 entries by default', () => {
    const next = withPredecessor(
      metadata(
        {},
        Array.from({ length: 100 }, (_, i) => `x${i}`),
      ),
      base,
    );
    expect(next.metadataLog).toHaveLength(100);
    expect(next.metadataLog[0]!.metadataFile).toBe('x1');
  });

  test('only metadata files that fell off are deleted, and only where asked for', () => {
    const before = metadata({}, ['/t/00000-a.metadata.json', '/etc/passwd', '/t/00001-b.metadata.json']);
    const after = {
      ...metadata({ 'write.metadata.delete-after-commit.enabled': 'true' }),
      metadataLog: before.metadataLog.slice(2),
    };
    expect(supersededFiles(before, after)).toEqual(['/t/00000-a.metadata.json']);
    expect(supersededFiles(before, { ...after, properties: {} })).toEqual([]);
  });
});
