import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "./folder.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * The built program in a folder of its own, as a package has it: without the native addon.
 *
 * @param files more that lie in it, by their paths there
 * @returns the path of its executable
 */
export async function copiedProgram(
  t: Pick<TestContext, "after">,
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<string> {
  const folder = await temporaryFolder(t);
  for (const name of [
    "bin",
    "dist",
    "native/wasm/kernels.wasm",
    "native/wasm/writing.wasm",
    "package.json",
  ]) {
    await cp(path.join(ROOT, name), path.join(folder, name), { recursive: true });
  }
  const modules = path.join(folder, "node_modules");
  // Wine makes no links.
  await symlink(path.join(ROOT, "node_modules"), modules, "junction").catch(() =>
    copyDependencies(folder),
  );
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  return path.join(folder, "bin", "charnn.js");
}

/** Copies the packages that one in this folder depends on into its `node_modules`. */
async function copyDependencies(folder: string, to = path.join(folder, "node_modules")) {
  const { dependencies = {} } = JSON.parse(
    await readFile(path.join(folder, "package.json"), "utf8"),
  );
  for (const name of Object.keys(dependencies)) {
    await cp(path.join(ROOT, "node_modules", name), path.join(to, name), { recursive: true });
    await copyDependencies(path.join(to, name), to);
  }
}
