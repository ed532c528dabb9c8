/** A location in one spelling: `s3://`, one slash at its end. */
export function folderUrl(location: string): string {
  return `${location.replace(/^s3[an]?:/i, 's3:').replace(/\/+$/, '')}/`;
}
