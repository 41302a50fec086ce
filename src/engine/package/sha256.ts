/**
 * SHA-256 of a byte array as 64 lower-case hexadecimal digits.
 * Needs Web Crypto: Node 20 or later, or a page served over https or from loopback.
 */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
