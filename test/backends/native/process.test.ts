/** How the addon lives in its process: what it keeps, which instructions it takes, how it ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { onTheAddon } from "../../helpers/addon.js";
import { scratchBytes } from "../../helpers/models.js";
import { moduleOf, outcomeOf } from "../../helpers/program.js";
import { slow } from "../../helpers/slow.js";
import { smallTraining, trainForHash } from "../../helpers/small-training.js";
import { noShell } from "../../helpers/system.js";

const WORK = new URL("../../helpers/small-training.js", import.meta.url).href;
const ADDON = "#src/backends/native/addon.js";

const MEGABYTE = 2 ** 20;

onTheAddon("The native backend in its process", (addon, native) => {
  test("The native backend in its process holds no more scratch memory than the largest step took, no matter what comes after", () => {
    const { model, step } = smallTraining(native);
    step(20, 17);
    const bytes = scratchBytes(model);
    assert.ok(bytes > 0);
    for (const time of [1, 20, 7, 13]) {
      for (const batch of [17, 1, 16, 3]) step(time, batch);
    }
    assert.equal(scratchBytes(model), bytes);
    step(21, 17);
    assert.ok(scratchBytes(model) > bytes);
    model.dispose();
  });

  slow("The native backend in its process keeps no memory of thousands of steps", async () => {
    const { model, step } = smallTraining(native);
    const trainOn = (steps: number) => {
      for (let i = 0; i < steps; i++) step(2, 1 + (i % 4));
    };
    trainOn(200);
    const start = await memoryInUse();
    trainOn(3_000);
    const growth = (await memoryInUse()) - start;
    assert.ok(growth < MEGABYTE, `${growth} bytes more`);
    model.dispose();
  });

  test("The native backend in its process keeps no memory of decode sessions that were closed", async () => {
    const { model } = smallTraining(native);
    const readOn = (times: number) => {
      for (let i = 0; i < times; i++) {
        const session = model.openDecodeSession(4);
        session.step(Int32Array.of(1, 2, 3, 4));
        session.dispose();
      }
    };
    readOn(50);
    const start = await memoryInUse();
    const before = process.memoryUsage.rss();
    readOn(2_000);
    const growth = (await memoryInUse()) - start;
    assert.ok(growth < MEGABYTE, `${growth} bytes more`);
    // The addon's own memory is in no other number: all of theirs together is nearly 400 MB.
    const growthInAll = process.memoryUsage.rss() - before;
    assert.ok(growthInAll < 100 * MEGABYTE, `${growthInAll} bytes more in all`);
    model.dispose();
  });

  slow(
    "The native backend in its process frees the memory of decode sessions that nobody closed",
    async () => {
      const { model } = smallTraining(native);
      const tokens = Int32Array.of(1, 2, 3, 4);
      const kept = model.openDecodeSession(4);
      kept.step(tokens);
      const before = process.memoryUsage.rss();
      for (let round = 0; round < 20; round++) {
        for (let i = 0; i < 100; i++) model.openDecodeSession(4);
        await memoryInUse();
      }
      const growth = process.memoryUsage.rss() - before;
      assert.ok(growth < 100 * MEGABYTE, `${growth} bytes more in all`);
      const fresh = model.openDecodeSession(4);
      fresh.step(tokens);
      assert.deepEqual(kept.step(tokens), fresh.step(tokens));
      for (const session of [kept, fresh]) session.dispose();
      model.dispose();
    },
  );

  test("The native backend in its process takes the instruction set that CHARNN_ISA names", async () => {
    const program = `
      import { loadAddon } from "${ADDON}";
      console.log(loadAddon().describe().instructionSet);`;
    const { instructionSets } = addon.describe();
    for (const name of instructionSets) {
      assert.deepEqual(await outcomeOf(program, { CHARNN_ISA: name }), { code: 0, stdout: name });
    }
    const [fastest] = instructionSets;
    for (const env of [{}, { CHARNN_ISA: "" }]) {
      assert.deepEqual(await outcomeOf(program, env), { code: 0, stdout: fastest });
    }
  });

  test("The native backend in its process refuses a CHARNN_ISA that names no instruction set, and says which there are", async () => {
    const program = `
      import { selectBackend } from "#src/backends/select.js";
            for (const backend of ["native", "auto"]) {
        const { code, message, hint } = await selectBackend(backend).catch((error) => error);
        console.log(code, message, hint);
      }`;
    const { code, stdout } = await outcomeOf(program, { CHARNN_ISA: "abacus" });
    assert.equal(code, 0);
    const lines = stdout.split("\n");
    assert.equal(lines.length, 2);
    for (const line of lines) {
      assert.match(line, /^INVALID_SETTING .*"abacus"/);
      for (const name of addon.describe().instructionSets) assert.ok(line.includes(name), line);
    }
  });

  slow(
    "The native backend in its process lets its process end by itself, no matter what it has open and how many threads it uses",
    async () => {
      const expected = await trainForHash("native", 1, 12);
      for (const threads of [1, 4, 40]) {
        const program = `
        import { trainForHash } from "${WORK}";
        console.log(await trainForHash("native", ${threads}, 12));`;
        assert.deepEqual(await outcomeOf(program), { code: 0, stdout: expected }, `${threads}`);
      }
    },
  );

  slow(
    "The native backend in its process uses the threads it has where the system starts no more",
    { skip: noShell },
    async (t) => {
      const program = `
      import { loadAddon } from "${ADDON}";
      const addon = loadAddon();
      addon.setThreads({ threads: 2 });
      console.log("ready");
      try {
        addon.setThreads({ threads: 1024 });
      } catch {
        console.log(addon.describe().threads);
      }
      const { trainForHash } = await import("${WORK}");
      console.log(await trainForHash("native", 3, 12));`;
      const expected = await trainForHash("native", 1, 12);
      // A thousand threads' stacks are 8 GB of addresses.
      const kilobytes = 4_000_000;
      const { code, stdout } = await outcomeOf(program, {}, kilobytes);
      if (!stdout.startsWith("ready")) return t.skip(`Node does not start: ${stdout}`);
      const [, threads, hash] = stdout.split("\n");
      if (threads === expected) return t.skip("the system does not keep to the limit");
      assert.deepEqual([code, threads, hash], [0, "2", expected], stdout);
    },
  );

  test("The native backend in its process lets its process be ended in the middle", async () => {
    const program = `
      import { trainForHash } from "${WORK}";
      await trainForHash("native", 4, 3);
      process.exit(7);`;
    assert.equal((await outcomeOf(program)).code, 7);
  });

  slow(
    "The native backend in its process trains in several threads of Node's side by side, each with its own team",
    async () => {
      const expected = await trainForHash("native", 1, 12);
      const worker = moduleOf(`
      import { parentPort, workerData } from "node:worker_threads";
      import { trainForHash } from "${WORK}";
      parentPort.postMessage(await trainForHash("native", workerData, 12));`);
      const program = `
      import { once } from "node:events";
      import { Worker } from "node:worker_threads";
      import { trainForHash } from "${WORK}";
      const start = (workerData) => {
        const worker = new Worker(new URL("${worker}"), { workerData });
        return Promise.all([once(worker, "message"), once(worker, "exit")]);
      };
      const workers = [1, 2, 3].map(start);
      console.log(await trainForHash("native", 2, 12));
      for (const [[hash], [code]] of await Promise.all(workers)) console.log(hash, code);
      console.log(await trainForHash("native", 2, 12));`;
      const { code, stdout } = await outcomeOf(program);
      const lines = stdout.split("\n");
      const ofWorker = `${expected} 0`;
      assert.deepEqual([code, ...lines], [0, expected, ofWorker, ofWorker, ofWorker, expected]);
    },
  );

  test("The native backend in its process lets one of Node's threads be ended while it trains", async () => {
    const worker = moduleOf(`
      import { parentPort } from "node:worker_threads";
      import { trainForHash } from "${WORK}";
      await trainForHash("native", 3, 1);
      parentPort.postMessage("begun");
      await trainForHash("native", 3, 1_000_000);`);
    const program = `
      import { once } from "node:events";
      import { Worker } from "node:worker_threads";
      import { trainForHash } from "${WORK}";
      const worker = new Worker(new URL("${worker}"));
      await once(worker, "message");
      await trainForHash("native", 2, 3);
      console.log(await worker.terminate());
      await trainForHash("native", 2, 3);`;
    assert.deepEqual(await outcomeOf(program), { code: 0, stdout: "1" });
  });
});

/** Bytes outside the heap that are in use once all garbage is gone. */
async function memoryInUse(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  for (let round = 0; round < 3; round++) {
    collect();
    await setImmediate();
  }
  const { external } = process.memoryUsage();
  return external;
}
