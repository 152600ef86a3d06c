import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { asTyped, invocation } from "#src/cli/invocation.js";

const CLONE = path.join(process.cwd(), "bin", "charnn.js");

test("Advice names the program as it was started", () => {
  assert.equal(invocation(CLONE, {}), `node ${path.join("bin", "charnn.js")}`);
  assert.equal(invocation(path.join("/usr", "bin", "charnn"), {}), "charnn");
  const installed = path.join("/a", "node_modules", "charnn", "bin", "charnn.js");
  assert.equal(invocation(installed, {}), "charnn");
  assert.equal(invocation(CLONE, { npm_command: "exec" }), "npx charnn");
  assert.equal(invocation(CLONE, { npm_lifecycle_event: "start" }), "npm start --");
});

test("Only commands in advice are rewritten", () => {
  const advice = "Use charnn train book.txt, or charnn doctor --json; charnn itself is fine.";
  const start = invocation();
  assert.equal(
    asTyped(advice),
    `Use ${start} train book.txt, or ${start} doctor --json; charnn itself is fine.`,
  );
});
