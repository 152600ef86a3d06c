/** What needs no quotes in any POSIX shell. A word that begins with = or ~ is another one for some. */
const PLAIN = /^(?!=)[\p{L}\p{N}_@%+=:,./-]+$/u;
/**
 * What needs no quotes in cmd and PowerShell. To the latter a comma parts words and @ is a variable, to the
 * former = and a comma part them, and PowerShell splits options at dots and colons.
 */
const PLAIN_ON_WINDOWS = /^(?!-.)[\p{L}\p{N}_+:.\\/-]+$/u;
/** What does not survive being printed and pasted: controls, and what can't be seen. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/**
 * A word as a shell reads it back, for commands that are printed to be pasted.
 *
 * On Windows as both cmd and PowerShell read it, or as PowerShell does where they differ. Elsewhere with POSIX
 * quotes, which bash leaves alone even in a terminal, or `$'...'` of bash, zsh and ksh for what can't be seen.
 */
export function quoted(word: string): string {
  return process.platform === "win32" ? quotedForWindows(word) : quotedForPosix(word);
}

function quotedForPosix(word: string): string {
  if (UNSEEN.test(word)) return `$'${Array.from(word, writtenOut).join("")}'`;
  if (PLAIN.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** See {@link quoted}. */
export function quotedForWindows(word: string): string {
  if (UNSEEN.test(word)) return `"${Array.from(word, writtenOutForPowerShell).join("")}"`;
  if (PLAIN_ON_WINDOWS.test(word)) return word;
  // In double quotes PowerShell puts in variables, and cmd has no other quotes.
  if (/[$`"\u201c-\u201e]/.test(word)) return `'${word.replace(/['\u2018-\u201b]/g, "$&$&")}'`;
  // A backslash before the closing quote would make that a part of the word.
  return `"${word.replace(/\\+$/, "$&$&")}"`;
}

function writtenOutForPowerShell(character: string): string {
  if (/[$`"\u201c-\u201e]/.test(character)) return `\`${character}`;
  if (!UNSEEN.test(character)) return character;
  const units = character.split("").map((unit) => unit.charCodeAt(0).toString(16).padStart(4, "0"));
  return units.map((digits) => `$([char]0x${digits})`).join("");
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
