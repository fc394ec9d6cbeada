/** Signatures of storage tickets, keys in connection strings, logins in RTSP addresses. */
const SECRETS: readonly [RegExp, string][] = [
  [/([?&]sig=)[^&\s"]+/gi, '$1***'],
  [/(SharedAccessKey=)[^;\s"]+/gi, '$1***'],
  [/(SharedAccessSignature )[^\s"]+/gi, '$1***'],
  [/(AccountKey=)[^;\s"]+/gi, '$1***'],
  [/(-----BEGIN [A-Z ]*PRIVATE KEY-----)[^-]*/g, '$1***'],
  // Up to the last @: a password may hold what ends a login, written rightly or not.
  [/(rtsps?:\/\/)(?:[^\s"]|\\")*@/gi, '$1***@'],
  // As JSON, and as JSON inside a text.
  [/("(?:password|passwd|pwd|user-pw|sasToken)"\s*:\s*")(?:[^"\\]|\\.)*/gi, '$1***'],
  [/(\\"(?:password|passwd|pwd|user-pw|sasToken)\\"\s*:\s*\\")(?:\\\\(?:\\.|[^\\])|[^\\"])*/gi, '$1***'],
  // In quotation marks, as such and inside JSON.
  [/((?:password|passwd|pwd|user-pw|sasToken)\s*[:=]\s*")(?:[^"\\]|\\.)*/gi, '$1***'],
  [/((?:password|passwd|pwd|user-pw|sasToken)\s*[:=]\s*\\")(?:\\\\(?:\\.|[^\\])|[^\\"])*/gi, '$1***'],
  [/((?:password|passwd|pwd|user-pw|sasToken)\s*[:=]\s*)(?!\*\*\*)[^"\\\s,}]+/gi, '$1***'],
  [/(\bAuthorization:\s*Basic\s+)[\w+/=]+/gi, '$1***'],
  [/(\bresponse=\\?")[^"\\]*/gi, '$1***'],
];

/** Takes every secret we know of out of a line of a log, or a sentence for a person: one list for agent, worker and
 *  orchestrations, as what one of them says the next may repeat. */
export const redact = (line: string): string =>
  SECRETS.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), line);
