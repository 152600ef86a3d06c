import { readFileSync } from "node:fs";

/** The version of charnn. */
export function version(): string {
  const packageFile = new URL("../package.json", import.meta.url);
  return JSON.parse(readFileSync(packageFile, "utf8")).version;
}
