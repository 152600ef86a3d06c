/** The module in the repository is what its sources compile to. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { slow } from "../../helpers/slow.js";

const SCRIPT = fileURLToPath(new URL("../../../scripts/build-wasm.js", import.meta.url));
const EXIT_SKIPPED = 77;

function build(option: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, option], {
    encoding: "utf8",
  });
  return { status, output: stdout + stderr };
}

test("The WebAssembly module holds the hash of its sources", () => {
  const { status, output } = build("--check");
  assert.equal(status, 0, output);
});

slow("The WebAssembly module is byte for byte what its sources compile to", (t) => {
  const { status, output } = build("--compare");
  if (status === EXIT_SKIPPED) return t.skip(output.trim());
  assert.equal(status, 0, output);
});
