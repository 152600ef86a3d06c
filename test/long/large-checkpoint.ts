import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { totalmem } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { outcomeOf, startCharnn } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";

const TEXT = fileURLToPath(new URL("../../data/shakespeare.txt", import.meta.url));
const GIB = 2 ** 30;

test("a checkpoint of more than 2 GiB is written, read, sampled and resumed", async (t) => {
  if (totalmem() < 12 * GIB) return t.skip("needs 12 GiB of memory");
  const cwd = await temporaryFolder(t);
  const run = async (...args: string[]) => {
    const child = await startCharnn(t, args, { cwd, timeout: 600_000 });
    child.stdin.end();
    const { code, signal, stdout, stderr } = await outcomeOf(child);
    assert.equal(code, 0, `${args.join(" ")}: ${signal}\n${stderr}`);
    return stdout;
  };
  const size = ["--preset", "tiny", "--hidden-size", "720", "--embedding-size", "65536"];
  const batch = ["--batch-size", "1", "--seq-length", "2", "--validation", "0", "--quiet"];
  await run("train", TEXT, "--name", "large", ...size, ...batch, "--steps", "1");
  const file = path.join(cwd, "checkpoints", "large", "last.safetensors");
  assert.ok((await stat(file)).size > 2 * GIB);

  const list = await run("info");
  assert.match(list, /^checkpoints\/large +GRU 1x720 /m);
  assert.match(await run("info", "large"), /^progress +step 1 of 1/m);
  assert.equal((await run("sample", "large", "-n", "20")).length, 21);

  await run("train", TEXT, "--name", "large", "--resume", "--steps", "2", "--quiet");
  assert.match(await run("info", "large"), /^progress +step 2 of 2/m);
});
