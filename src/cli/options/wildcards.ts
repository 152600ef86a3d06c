import { readdir } from "node:fs/promises";
import path from "node:path";

/**
 * What a path with `*` or `?` in its last part stands for, sorted: on Windows no shell looks. Names match in any
 * case, and hidden ones only where the wildcard begins with a dot too.
 *
 * @returns nothing where there is none, or a folder on the way has a wildcard
 */
export async function expanded(file: string): Promise<string[]> {
  const pattern = path.basename(file);
  // As it was typed: `texts/*.txt` gives `texts/a.txt`.
  const folder = file.slice(0, file.length - pattern.length);
  if (!/[*?]/.test(pattern) || /[*?]/.test(folder)) return [];
  const names = await readdir(folder === "" ? "." : folder).catch(() => []);
  const isMatch = matcher(pattern);
  return names
    .filter(isMatch)
    .sort()
    .map((name) => `${folder}${name}`);
}

/** Whether a name matches a pattern in which `*` and `?` stand for any characters. */
export function matcher(pattern: string): (name: string) => boolean {
  const characters = Array.from(pattern, (character) => {
    if (character === "*") return ".*";
    return character === "?" ? "." : character.replace(/[\\^$.|+()[\]{}]/, "\\$&");
  });
  const expression = new RegExp(`^${characters.join("")}$`, "isu");
  return (name) => expression.test(name) && (pattern.startsWith(".") || !name.startsWith("."));
}
