/** Signals while TensorFlow computes. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { test } from "node:test";
import { systemCalls } from "#src/backends/native/addon.js";
import { onTensorFlow } from "../helpers/tensorflow.js";

await onTensorFlow("signals and the tensorflow backend", () => {
  const isLinux = process.platform === "linux";
  const skip =
    (!isLinux && "it takes /proc to see which thread hears signals") ||
    (!systemCalls() && "signals are kept away by the native addon, which does not load");

  test("No signal interrupts the thread that calls TensorFlow, and others hear it.", {
    skip,
  }, async (context) => {
    const { SIGINT, SIGTERM, SIGWINCH } = constants.signals;
    const heard = new Promise((resolve) => process.once("SIGWINCH", resolve));
    for (const signal of [SIGINT, SIGTERM, SIGWINCH]) {
      assert.ok(isBlocked(signal, process.pid), `${signal} interrupts it`);
      const others = readdirSync("/proc/self/task").map(Number);
      assert.ok(
        others.some((thread) => !isBlocked(signal, thread)),
        `nobody hears ${signal}`,
      );
    }
    // A process does not wait for signals alone.
    const waiting = setInterval(() => {}, 1_000);
    context.after(() => clearInterval(waiting));
    process.kill(process.pid, "SIGWINCH");
    await heard;
  });
});

/** Whether a thread of this process blocks a signal. */
function isBlocked(signal: number, thread: number): boolean {
  const status = readFileSync(`/proc/self/task/${thread}/status`, "utf8");
  const [, mask] = /^SigBlk:\s*([0-9a-f]+)/m.exec(status) as RegExpExecArray;
  return (BigInt(`0x${mask}`) & (1n << BigInt(signal - 1))) !== 0n;
}
