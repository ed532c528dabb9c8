import { readFileSync } from 'node:fs';
import { lakeYamlJsonSchema } from '../../src/config/schema.ts';

interface Shape {
  properties?: Record<string, Shape>;
  additionalProperties?: Shape | boolean;
  items?: Shape;
  anyOf?: Shape[];
}

function keys(shape: Shape): string[] {
  const inner = [
    ...Object.values(shape.properties ?? {}),
    ...(typeof shape.additionalProperties === 'object' ? [shape.additionalProperties] : []),
    ...(shape.items ? [shape.items] : []),
    ...(shape.anyOf ?? []),
  ];
  return [...Object.keys(shape.properties ?? {}), ...inner.flatMap(keys)];
}

describe('lakeYamlJsonSchema', () => {
  test('is JSON, and refuses unknown keys as the loader does', () => {
    const schema = lakeYamlJsonSchema();
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
    expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
  });

  test('docs/lake-yaml.md explains every key, and no others', () => {
    const page = readFileSync('docs/lake-yaml.md', 'utf8');
    const known = new Set(keys(lakeYamlJsonSchema() as Shape));
    const explained = new Set([...page.matchAll(/^\| `([a-z0-9_]+)`/gm)].map((match) => match[1]!));
    expect([...known].filter((key) => !explained.has(key))).toEqual([]);
    expect([...explained].filter((key) => !known.has(key))).toEqual([]);
  });

  test('the example in the page loads', async () => {
    const page = readFileSync('docs/lake-yaml.md', 'utf8');
    const { loadConfig } = await import('../../src/config/load.ts');
    const blocks = [...page.matchAll(/```yaml\n(version: 1.*?)```/gs)].map((match) => match[1]!);
    expect(blocks.length).toBeGreaterThan(0);
    for (const block of blocks) expect(loadConfig(block, '/l/lake.yaml', {}).tables.length).toBeGreaterThan(0);
  });
});
