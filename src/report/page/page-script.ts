import { readFileSync } from "node:fs";

/** The modules of the page's script, each after those that it imports. */
const MODULES = [
  "character-names",
  "elements",
  "run-style",
  "x-axis",
  "legend",
  "marks",
  "charts",
  "samples",
  "overflow-hints",
  "text-walk",
  "expected-bars",
  "surprisal",
  "neurons",
  "follow",
  "main",
];

/**
 * The page's script, which stands in the page and so can't import: its modules as one. They import each other
 * alone, by the names that things are exported as.
 */
export function pageScript(): string {
  return MODULES.map((name) => {
    const code = readFileSync(new URL(`script/${name}.js`, import.meta.url), "utf8");
    return code.replace(/^import [^;]*;\n/gm, "").replace(/^export (?:\{\s*\};?\n)?/gm, "");
  }).join("");
}
