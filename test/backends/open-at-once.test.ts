import assert from "node:assert/strict";
import { test } from "node:test";
import { openBackend } from "#src/backends/select.js";
import { BACKEND_NAMES } from "#src/config/names.js";

// This is the one test that needs a process in which no backend was opened before.
for (const name of BACKEND_NAMES) {
  test(`${name} is registered once where many open it at the same time`, async (t) => {
    const warn = t.mock.method(console, "warn", () => {});
    const opened = await Promise.allSettled(Array.from({ length: 20 }, () => openBackend(name)));
    const [{ status }] = opened;
    assert.ok(opened.every((test) => test.status === status));
    if (status === "rejected") return t.skip("It does not load here.");
    assert.deepEqual(
      warn.mock.calls.map(({ arguments: [message] }) => message),
      [],
    );
  });
}
