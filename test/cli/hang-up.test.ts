import assert from "node:assert/strict";
import { test } from "node:test";
import { survivesHangUp } from "#src/cli/terminal/signals.js";

test("A command goes on without its terminal where standard error is none, but not on Windows", () => {
  const stderr = (isTTY: boolean) => ({ stderr: { isTTY } as NodeJS.WriteStream });
  for (const platform of ["linux", "darwin"] as const) {
    assert.equal(survivesHangUp(stderr(false), platform), true);
  }
  // It has ten seconds there, which are for saving.
  for (const isTTY of [true, false]) assert.equal(survivesHangUp(stderr(isTTY), "win32"), false);
});
