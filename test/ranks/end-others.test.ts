/** How a process that can't join has MPICH's launcher end the others. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomeOf } from "../helpers/program.js";

const MODULE = new URL("../../dist/ranks/end-others.js", import.meta.url).href;

test("The launcher has time to read an error before it is told to end all processes", async () => {
  const { code, stdout } = await outcomeOf(`
    import fs, { writeFileSync } from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    const done = [];
    Atomics.wait = (array, index, value, milliseconds) => done.push(milliseconds);
    fs.writeSync = (file, text) => done.push(text);
    syncBuiltinESMExports();
    const { endOthers } = await import(${JSON.stringify(MODULE)});
    endOthers({ PMI_FD: "3", MPI_LOCALRANKID: "0" }, 1);
    writeFileSync(1, JSON.stringify(done));`);
  assert.equal(code, 0, stdout);
  const [toRead, told, toBeEnded, ...more] = JSON.parse(stdout);
  assert.ok(toRead >= 100, `${toRead} ms`);
  assert.match(told, /cmd=abort exitcode=1\n$/);
  assert.ok(toBeEnded >= 1_000, `${toBeEnded} ms`);
  assert.deepEqual(more, []);
});
