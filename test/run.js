/**
 * Runs the compiled tests; with `--all` those too that take minutes. Node 20's runner takes folders
 * but no patterns, later ones patterns but no folders: both take files.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const compiled = fileURLToPath(new URL("../dist-test", import.meta.url));
const all = process.argv.includes("--all");
const files = readdirSync(compiled, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith(".test.js") || (all && /^long[/\\].*\.js$/.test(name)))
  .sort()
  .map((name) => join(compiled, name));
const { status } = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" });
process.exitCode = status ?? 1;
