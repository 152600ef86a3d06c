import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { appendWhole } from "#src/files/append-file.js";
import { failsWith } from "../helpers/failure.js";
import { temporaryFolder } from "../helpers/folder.js";
import { noLinks, noShell } from "../helpers/system.js";

test("a link is not followed, as the file at its end is another's", {
  skip: noLinks,
}, async (t) => {
  const folder = await temporaryFolder(t);
  const [text, metrics] = [path.join(folder, "text"), path.join(folder, "metrics.jsonl")];
  await writeFile(text, "text");
  await symlink(text, metrics);
  await assert.rejects(appendWhole(metrics, "line\n"), failsWith("NOT_WRITABLE", "it is a link"));
  assert.equal(await readFile(text, "utf8"), "text");
});

test("nothing is left of what can't be written to its end", { skip: noShell }, async (t) => {
  const file = path.join(await temporaryFolder(t), "metrics.jsonl");
  const module = JSON.stringify(import.meta.resolve("#src/files/append-file.js"));
  const program = `
    import { appendWhole } from ${module};
    await appendWhole(process.argv[1], "a".repeat(600));
    await appendWhole(process.argv[1], "b".repeat(600)).catch((error) => {
      process.stdout.write(error.code + " " + error.message);
    });`;
  // The system writes as much of a file as the limit of 1,024 bytes allows, and then refuses.
  const limited = 'trap "" XFSZ; ulimit -f 1; exec "$@"';
  const node = [process.execPath, "--input-type=module", "-e", program, file];
  const { stdout } = await promisify(execFile)("bash", ["-c", limited, "bash", ...node]);
  assert.match(stdout, /^NOT_WRITABLE .*metrics\.jsonl can't be written: the file would be larger/);
  assert.equal(await readFile(file, "utf8"), "a".repeat(600));
});
