import { execFileSync } from "node:child_process";

/** The folders of all packages that an installed charnn needs. */
export function productionDependencies(root) {
  const list = ["ls", "--all", "--parseable", "--omit=dev", "--omit=optional", "--omit=peer"];
  const folders = execFileSync("npm", list, { cwd: root, encoding: "utf8" }).trim().split("\n");
  // The first is the project's.
  return folders.slice(1);
}
