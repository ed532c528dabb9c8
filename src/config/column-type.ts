import { isKind } from '../errors.ts';
import type { PrimitiveType, Transform } from '../iceberg/model.ts';
import { transformResultType } from '../iceberg/transforms.ts';
import { parseType } from '../iceberg/types.ts';

/** A declared column's type, or what is wrong with its text. */
export function columnType(text: string): PrimitiveType | { fault: string } {
  if (/^\s*(list|map|struct)\b/i.test(text)) {
    return { fault: 'expected a primitive type; leave `columns` out and nested ones are taken from the first file' };
  }
  return orFault(() => parseType(text));
}

/** What is wrong with taking the transform of a column of the type; undefined when the spec allows it (spec: "Partition Transforms"). */
export function transformFault(transform: Transform, type: PrimitiveType): string | undefined {
  const result = orFault(() => transformResultType(transform, type));
  return typeof result === 'string' ? undefined : result.fault;
}

function orFault<T>(parse: () => T): T | { fault: string } {
  try {
    return parse();
  } catch (error) {
    if (isKind(error, 'invalid')) return { fault: error.message };
    throw error;
  }
}
