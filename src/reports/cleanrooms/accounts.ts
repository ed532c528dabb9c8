/**
 * The account of a result receiver or an analysis provider: twelve digits as they are, or the fifth part of an ARN. Anything else is shown as it
 * came.
 */
export function accountOf(receiver: string): string {
  const fifth = receiver.startsWith('arn:') ? receiver.split(':')[4] : undefined;
  return fifth !== undefined && /^\d{12}$/.test(fifth) ? fifth : receiver;
}

/** `1234-5678-9012 (description)` for an account that has one, else the id as it is. */
export function accountText(account: string, descriptions: Readonly<Record<string, string>>): string {
  const description = Object.hasOwn(descriptions, account) ? descriptions[account] : undefined;
  if (description === undefined || !/^\d{12}$/.test(account)) return account;
  return `${account.slice(0, 4)}-${account.slice(4, 8)}-${account.slice(8)} (${description})`;
}

/** Several accounts in a cell. */
export function accountsText(accounts: readonly string[], descriptions: Readonly<Record<string, string>>): string {
  return accounts.map((account) => accountText(account, descriptions)).join(', ');
}
