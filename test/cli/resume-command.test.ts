import assert from "node:assert/strict";
import { it } from "node:test";
import { resumeCommand } from "#src/cli/commands/resume-command.js";

it("what goes on with a run says where its text and its folder are, and what it writes beside", () => {
  assert.equal(
    resumeCommand("night", { files: ["a b.txt", "c"], out: "runs", tensorboard: true, steps: 9 }),
    "charnn train 'a b.txt' c --out runs --name night --tensorboard --resume",
  );
  const files = Array.from({ length: 7 }, (_, k) => `${k}`);
  assert.equal(resumeCommand("x", { files }), "charnn train 0 1 2 3 4 ... --name x --resume");
});
