/** The text from `offset` to the next zero. */
export function textAt(bytes, offset) {
  return bytes.toString("latin1", offset, bytes.indexOf(0, offset));
}
