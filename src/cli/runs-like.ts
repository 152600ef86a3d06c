import { runsIn } from "../runs/all-runs.js";
import type { RunFolder } from "../runs/run-folder.js";
import { matcher } from "./options/wildcards.js";

/**
 * The runs in a folder whose names match, by name.
 *
 * @returns undefined where the name has no wildcard, or no run is called like that
 */
export async function runsLike(name: string, out: string): Promise<RunFolder[] | undefined> {
  if (!/[*?]/.test(name)) return undefined;
  const isMatch = matcher(name);
  const found = (await runsIn(out)).map(({ folder }) => folder).filter((it) => isMatch(it.name));
  return found.length > 0 ? found.toSorted((a, b) => (a.name < b.name ? -1 : 1)) : undefined;
}
