import assert from "node:assert/strict";
import { test } from "node:test";
import { cleanUp, cleanUpAfter, cleanUpOnFailure, closeRead, thenCleanUp } from "#src/clean-up.js";

/** Clean-ups that note that they were done, those named in `failing` before they throw. */
function cleanUps(...failing: readonly string[]) {
  const done: string[] = [];
  const named = (name: string) => async () => {
    done.push(name);
    if (failing.includes(name)) throw new Error(name);
  };
  return { done, all: [named("first"), named("second"), named("third")] };
}

async function fail(): Promise<never> {
  throw new Error("the action");
}

test("Cleaning up runs every step, and throws the first failure", async () => {
  const { done, all } = cleanUps("first", "second");
  await assert.rejects(cleanUp(...all), /^Error: first$/);
  assert.deepEqual(done, ["first", "second", "third"]);
});

test("Cleaning up after an action that failed never hides that action's error", async () => {
  for (const clean of [thenCleanUp, cleanUpOnFailure]) {
    const { done, all } = cleanUps("first", "third");
    await assert.rejects(clean(fail, ...all), /^Error: the action$/);
    assert.deepEqual(done, ["first", "second", "third"]);
  }
});

test("Cleaning up after an action that succeeded returns the action's result, or throws its own failure", async () => {
  const { done, all } = cleanUps();
  assert.equal(await thenCleanUp(() => "result", ...all), "result");
  assert.deepEqual(done, ["first", "second", "third"]);
  await assert.rejects(
    thenCleanUp(() => "result", ...cleanUps("second").all),
    /^Error: second$/,
  );
});

test("Cleaning up on failure only is not done after a success", async () => {
  const { done, all } = cleanUps("first");
  assert.equal(await cleanUpOnFailure(async () => "result", ...all), "result");
  assert.deepEqual(done, []);
});

test("Cleaning up after values is done when they end, fail, or are left", async () => {
  async function* values(fails: boolean) {
    yield 1;
    yield 2;
    if (fails) await fail();
  }
  const ended = cleanUps("second");
  await assert.rejects(async () => {
    for await (const value of cleanUpAfter(values(false), ...ended.all)) assert.ok(value < 3);
  }, /^Error: second$/);
  const failed = cleanUps("first");
  await assert.rejects(async () => {
    for await (const value of cleanUpAfter(values(true), ...failed.all)) assert.ok(value < 3);
  }, /^Error: the action$/);
  const left = cleanUps();
  for await (const value of cleanUpAfter(values(true), ...left.all)) {
    assert.equal(value, 1);
    break;
  }
  for (const { done } of [ended, failed, left]) {
    assert.deepEqual(done, ["first", "second", "third"]);
  }
});

test("The closing of a file that was only read is done, and its failure is ignored", async () => {
  let closed = 0;
  const close = async () => void closed++;
  await closeRead({ close });
  assert.equal(closed, 1);
  await closeRead(undefined);
  await closeRead({ close: () => Promise.reject(new Error("EIO")) });
});

test("The closing of a file that was only read hides nothing that went wrong before it", async () => {
  const file = { close: () => Promise.reject(new Error("close")) };
  const read = thenCleanUp(
    () => Promise.reject(new Error("read")),
    () => closeRead(file),
  );
  await assert.rejects(read, /^Error: read$/);
  assert.equal(
    await thenCleanUp(
      () => "text",
      () => closeRead(file),
    ),
    "text",
  );
});

test("The closing of a file that was only read is awaited before anything else is done", async () => {
  let isClosed = false;
  const close = () =>
    new Promise<void>((resolve) => setTimeout(resolve, 5)).then(() => {
      isClosed = true;
    });
  await closeRead({ close });
  assert.ok(isClosed);
});
