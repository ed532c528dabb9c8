/** Pages of the AWS console. Names from outside are escaped for their place in the address. */

/** An object in S3. @param url `s3://bucket/key` */
export function s3ConsoleLink(url: string, region: string): string {
  const { hostname, pathname } = new URL(url);
  return `${consoleOf(region)}/s3/object/${hostname}?region=${encodeURIComponent(region)}&prefix=${pathname.slice(1)}`;
}

export function glueTableLink(region: string, database: string, table: string): string {
  const [inDatabase, named] = [database, table].map(encodeURIComponent);
  return `${consoleOf(region)}/glue/home?region=${encodeURIComponent(region)}#/v2/data-catalog/tables/view/${named}?database=${inDatabase}`;
}

export function configuredTableLink(region: string, id: string): string {
  return `${consoleOf(region)}/cleanrooms/home?region=${encodeURIComponent(region)}#/configured-tables/${encodeURIComponent(id)}`;
}

export function membershipLink(region: string, id: string): string {
  return `${consoleOf(region)}/cleanrooms/home?region=${encodeURIComponent(region)}#/collaborations/membership/${encodeURIComponent(id)}`;
}

function consoleOf(region: string): string {
  const domain = region.startsWith('cn-') ? 'console.amazonaws.cn' : 'console.aws.amazon.com';
  return /^[a-z0-9-]+$/.test(region) ? `https://${region}.${domain}` : `https://${domain}`;
}
