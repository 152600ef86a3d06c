/** How a process that can't join has MPICH's launcher end the others. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { test } from "node:test";

const MODULE = new URL("../../dist/ranks/end-others.js", import.meta.url).href;

test("The launcher has time to read an error before it is told to end all processes", {
  skip: process.platform === "win32" && "MPICH's launcher is not there",
}, async (t) => {
  const lines = `
    import { endOthers } from ${JSON.stringify(MODULE)};
    process.stderr.write("Error: no library.\\n");
    endOthers({ PMI_FD: "3", MPI_LOCALRANKID: "0" }, 1);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", lines], {
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  const [, , stderr, launcher] = child.stdio as unknown as Readable[];
  const told = once(launcher, "data").then(([bytes]) => ({ text: `${bytes}`, at: Date.now() }));
  const [error] = await once(stderr, "data");
  const printed = Date.now();
  assert.equal(`${error}`, "Error: no library.\n");
  const { text, at } = await told;
  assert.match(text, /cmd=abort exitcode=1\n/);
  assert.ok(at - printed > 100, `${at - printed} ms`);
});
