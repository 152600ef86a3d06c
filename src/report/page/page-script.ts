import { readFileSync } from "node:fs";

/** The page's script, bundled: it stands in the page and so can't import. */
export function pageScript(): string {
  return readFileSync(new URL("script/main.bundle.js", import.meta.url), "utf8");
}
