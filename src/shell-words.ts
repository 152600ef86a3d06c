/** What needs no quotes in any shell. A word that begins with = or ~ is another one for some. */
const PLAIN = /^(?!=)[\p{L}\p{N}_@%+=:,./-]+$/u;
/** What does not survive being printed and pasted: controls, and what nothing is seen of. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/**
 * A word as a shell reads it back, for commands that are printed to be pasted: POSIX quotes, which bash
 * leaves alone even in a terminal, or `$'...'` of bash, zsh and ksh for what can't be seen.
 */
export function quoted(word: string): string {
  if (UNSEEN.test(word)) return `$'${Array.from(word, writtenOut).join("")}'`;
  if (PLAIN.test(word)) return word;
  if (process.platform === "win32") return `"${word}"`;
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function writtenOut(character: string): string {
  if (character === "\n") return "\\n";
  if (character === "\\" || character === "'") return `\\${character}`;
  // An exclamation mark calls up an earlier command where bash takes the quotes to be over.
  if (character !== "!" && !UNSEEN.test(character)) return character;
  // As bytes, which mean the same in every locale.
  const bytes = Array.from(new TextEncoder().encode(character));
  return bytes.map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}
