/** The programs of examples/node and examples/python, which write with exported models. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { pythonWith } from "#bench/peers/find.js";
import { encodeJs } from "#src/export/js/encode-js.js";
import { exportModel } from "#src/index.js";
import { documentedCode } from "../helpers/documented-python.js";
import { temporaryFolder } from "../helpers/folder.js";
import { CATS, learned } from "../helpers/mixtures.js";

import { slow } from "../helpers/slow.js";

const EXAMPLES = fileURLToPath(new URL("../../examples", import.meta.url));
const WRITTEN = /^the cat[a-z\n ]{60}\r?\n$/;

function runs(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout;
}

slow("The example program for Node.js writes with an exported module", async (t) => {
  const module = path.join(await temporaryFolder(t), "model.mjs");
  await writeFile(module, await encodeJs(await learned(t, CATS), 16));
  const program = path.join(EXAMPLES, "node", "write.mjs");
  assert.match(runs(process.execPath, [program, module, "the cat", "60"]), WRITTEN);
});

slow("The example program in Python writes with an ONNX file", async (t) => {
  const python = pythonWith("onnxruntime", "numpy");
  if (python === undefined) {
    return t.skip("no Python with onnxruntime; `npm run peers` gets it");
  }
  const file = path.join(await temporaryFolder(t), "night.onnx");
  await writeFile(file, await exportModel(await learned(t, CATS), { to: "onnx" }));
  const program = path.join(EXAMPLES, "python", "write.py");
  assert.match(runs(python, [program, file, "the cat", "60"]), WRITTEN);
});

test("The example program in Python is that of the documentation", async () => {
  const program = await readFile(path.join(EXAMPLES, "python", "write.py"), "utf8");
  const { definitions } = documentedCode(
    "onnxruntime.InferenceSession",
    "print(write(",
    "exporting.md",
  );
  const definition = definitions.slice(definitions.indexOf("def write(")).trimEnd();
  assert.ok(definition.length > 500);
  assert.ok(program.replaceAll("\r\n", "\n").includes(definition));
});
