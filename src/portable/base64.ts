/** Characters that are decoded at once: groups of four, each of three bytes. */
const PIECE = 2 ** 16;

/** What base64 stands for, also that of hundreds of megabytes. */
export function bytesOfBase64(base64: string): Uint8Array {
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((base64.length / 4) * 3 - padding);
  let length = 0;
  for (let start = 0; start < base64.length; start += PIECE) {
    const piece = atob(base64.slice(start, start + PIECE));
    for (let k = 0; k < piece.length; k++) bytes[length++] = piece.charCodeAt(k);
  }
  return bytes;
}
