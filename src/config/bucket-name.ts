/** Whether S3 takes the text as the name of a general purpose bucket (S3 user guide, "General purpose bucket naming rules"). */
export function isBucketName(text: string): boolean {
  return /^[a-z0-9](?:[a-z0-9-]|\.(?=[a-z0-9])){1,61}[a-z0-9]$/.test(text) && !/^\d+\.\d+\.\d+\.\d+$/.test(text);
}
