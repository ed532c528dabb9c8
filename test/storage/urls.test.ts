import { canonicalUrl, pathOf, schemeOf, splitPrefix } from '../../src/storage/urls.ts';

describe('object URLs', () => {
  test.each([
    ['file:///a/b', '/a/b'],
    ['file:/a/b', '/a/b'],
    ['FILE:/a/b', '/a/b'],
    ['file://localhost/a/b', '/a/b'],
    ['file:////a//b', '/a/b'],
    ['/a/b', '/a/b'],
    ['file:///a%20b', '/a%20b'],
    ['file:///a b#c?d', '/a b#c?d'],
    ['file:///a/..b/c..', '/a/..b/c..'],
    ['file:///a/', '/a/'],
  ])('%s is the path %s', (url, path) => {
    expect(pathOf(url, 'file')).toBe(path);
    expect(canonicalUrl(url)).toBe(`file://${path}`);
  });

  test.each([
    'file://host/a',
    'file:a/b',
    'file:',
    'a/b',
    '',
    'file:///a/../b',
    'file:///a/.',
    's3://bucket/key',
    'file:///a\0',
  ])('%j is refused as a file', (url) => {
    expect(() => pathOf(url, 'file')).toThrow(expect.objectContaining({ kind: 'invalid' }));
  });

  test('schemes', () => {
    expect(['s3://b/k', '/x', 'memory:/x', 'S3A://b/k'].map(schemeOf)).toEqual(['s3', 'file', 'memory', 's3a']);
    expect(canonicalUrl('memory:///a//b')).toBe('memory:/a/b');
    expect(canonicalUrl('s3://bucket//a')).toBe('s3://bucket//a');
    expect(['s3a://b/k%20', 'S3N://b/k%20'].map(canonicalUrl)).toEqual(['s3://b/k%20', 's3://b/k%20']);
  });

  test('a prefix is cut at its last slash, spelled as given', () => {
    expect(splitPrefix('file:/a/b/pa')).toEqual({ folder: 'file:/a/b/', stem: 'pa' });
    expect(splitPrefix('/a/')).toEqual({ folder: '/a/', stem: '' });
  });
});
