/** The module in the repository was made of the sources in it; CI compiles it and compares the bytes. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("../../../scripts/build-wasm.js", import.meta.url));

test("The WebAssembly module holds the hash of its sources", () => {
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT, "--check"], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
});
