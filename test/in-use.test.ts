import assert from "node:assert/strict";
import { test } from "node:test";
import { CharnnError } from "#src/errors.js";
import { isInUse, PAUSES, retryWhileInUse } from "#src/in-use.js";
import { FakeSystem, failing } from "./helpers/fake-system.js";

for (const code of ["EPERM", "EACCES", "EBUSY"]) {
  test(`A call that Windows refuses with ${code} is made again, with growing pauses, until it succeeds`, async () => {
    const system = new FakeSystem("win32");
    const call = failing([code, code, code], "done");
    assert.equal(await retryWhileInUse(call, system), "done");
    assert.deepEqual(system.pauses, PAUSES.slice(0, 3));
  });

  test(`A call that is refused with ${code} on other systems is not made again`, async () => {
    for (const platform of ["linux", "darwin"] as const) {
      const system = new FakeSystem(platform);
      const error = await retryWhileInUse(failing([code], "done"), system).catch((it) => it);
      assert.equal(error.code, code);
      assert.equal(isInUse(error), false);
      assert.deepEqual(system.pauses, []);
    }
  });
}

test("A file that is in use for more than two seconds is an error that says so", async () => {
  const system = new FakeSystem("win32");
  const error = await retryWhileInUse(failing(Array(20).fill("EBUSY"), "done"), system).catch(
    (it) => it,
  );
  assert.equal(error.code, "EBUSY");
  assert.equal(isInUse(error), true);
  assert.equal(isInUse(new CharnnError("NOT_WRITABLE", "no", "", { cause: error })), true);
  assert.deepEqual(system.pauses, PAUSES);
  assert.equal(
    PAUSES.reduce((sum, pause) => sum + pause, 0),
    2_000,
  );
});

test("A full disk is no file in use", async () => {
  const system = new FakeSystem("win32");
  const error = await retryWhileInUse(failing(["ENOSPC"], "done"), system).catch((it) => it);
  assert.equal(error.code, "ENOSPC");
  assert.equal(isInUse(error), false);
  assert.deepEqual(system.pauses, []);
});
