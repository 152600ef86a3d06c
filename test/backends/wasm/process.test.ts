/** How the threads of the WebAssembly module live in their process: how they start, and how they end. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { moduleOf, outcomeOf } from "../../helpers/program.js";
import { slow } from "../../helpers/slow.js";
import { trainForHash } from "../../helpers/small-training.js";

const WORK = new URL("../../helpers/small-training.js", import.meta.url).href;
const THREADS = new URL("../../helpers/wasm.js", import.meta.url).href;
const MODULE = "#src/backends/wasm/module.js";

/** An option of some versions of Node.js: no more addresses are reserved than the memory has. */
const RESERVE_LESS = "--disable-wasm-trap-handler";
const canReserveLess = process.allowedNodeEnvironmentFlags.has(RESERVE_LESS);

/** Of twelve steps on one thread. */
let expected: string;

before(async () => {
  expected = await trainForHash("wasm", 1, 12);
});

/** Lines that print the hash of twelve steps, and how many threads have started by then. */
function training(threads: number): string {
  return `
    import { loadWasmKernels } from "${MODULE}";
    import { trainForHash } from "${WORK}";
    import { startWasmThreads } from "${THREADS}";
    console.log(await trainForHash("wasm", ${threads}, 12), loadWasmKernels().startedThreads());`;
}

slow("A process with threads of the WebAssembly module ends by itself", async () => {
  for (const threads of [1, 2, 4, 40]) {
    // With none that has started, then with all of them, at work on the next step of a session.
    const early = await outcomeOf(training(threads));
    assert.deepEqual([early.code, early.stdout.split(" ")[0]], [0, expected], early.stdout);
    const late = await outcomeOf(`await (await import("${THREADS}")).startWasmThreads(${threads});
      ${training(threads)}`);
    assert.deepEqual(late, { code: 0, stdout: `${expected} ${threads}` });
  }
});

test("What NODE_OPTIONS loads is loaded once, and not by threads of the WebAssembly module", async () => {
  const loaded = moduleOf('import { writeSync } from "node:fs"; writeSync(1, "loaded ");');
  const program = `await (await import("${THREADS}")).startWasmThreads(2);
    ${training(2)}`;
  const outcome = await outcomeOf(program, { NODE_OPTIONS: `--import=${loaded}` });
  assert.deepEqual(outcome, { code: 0, stdout: `loaded ${expected} 2` });
});

test("A process with threads of the WebAssembly module can be ended in the middle", async () => {
  for (const wait of ["", `await startWasmThreads(4);`]) {
    const program = `${training(4)}
      ${wait}
      await trainForHash("wasm", 4, 3);
      process.exit(7);`;
    const { code, stdout } = await outcomeOf(program);
    assert.deepEqual([code, stdout.split(" ")[0]], [7, expected], stdout);
  }
});

slow("Several worker threads can use the WebAssembly module, each with its own team", async () => {
  const worker = moduleOf(`
    import { parentPort, workerData } from "node:worker_threads";
    import { trainForHash } from "${WORK}";
    import { startWasmThreads } from "${THREADS}";
    await startWasmThreads(workerData);
    parentPort.postMessage(await trainForHash("wasm", workerData, 12));`);
  const program = `
    import { once } from "node:events";
    import { Worker } from "node:worker_threads";
    ${training(2)}
    const start = (workerData) => {
      const worker = new Worker(new URL("${worker}"), { workerData });
      return Promise.all([once(worker, "message"), once(worker, "exit")]);
    };
    const workers = [1, 2, 3].map(start);
    for (const [[hash], [code]] of await Promise.all(workers)) console.log(hash, code);`;
  const { code, stdout } = await outcomeOf(program);
  const [own, ...others] = stdout.split("\n");
  assert.deepEqual([code, own.split(" ")[0]], [0, expected], stdout);
  assert.deepEqual(others, Array(3).fill(`${expected} 0`));
});

test("One of Node's threads can be ended while it trains with threads of the WebAssembly module", async () => {
  const worker = moduleOf(`
    import { parentPort } from "node:worker_threads";
    import { trainForHash } from "${WORK}";
    import { startWasmThreads } from "${THREADS}";
    await startWasmThreads(3);
    parentPort.postMessage("begun");
    await trainForHash("wasm", 3, 1_000_000);`);
  const program = `
    import { once } from "node:events";
    import { Worker } from "node:worker_threads";
    const worker = new Worker(new URL("${worker}"));
    await once(worker, "message");
    const { trainForHash } = await import("${WORK}");
    await trainForHash("wasm", 2, 3);
    console.log(await worker.terminate());
    await trainForHash("wasm", 2, 3);`;
  assert.deepEqual(await outcomeOf(program), { code: 0, stdout: "1" });
});

test("Threads of the WebAssembly module use memory that it got after they had started", async () => {
  const program = `
    import { createHash } from "node:crypto";
    import { loadWasmKernels } from "${MODULE}";
    import { startWasmThreads } from "${THREADS}";
    import { openBackend } from "#src/backends/select.js";
    const hash = createHash("sha256");
    const rows = 300;
    const vectors = Float32Array.from({ length: rows * 64 }, (_, i) => Math.sin(i));
    await startWasmThreads(Number(process.env.THREADS));
    const backend = await openBackend("wasm", Number(process.env.THREADS));
    for (let vocabulary = 100; vocabulary < 60_000; vocabulary *= 4) {
      // Scratch memory of this is more than all before.
      const decoder = {
        ...{ time: rows, batch: 1, hiddenSize: 64, input: vectors },
        weight: Float32Array.from({ length: 64 * vocabulary }, (_, i) => Math.cos(i)),
        bias: new Float32Array(vocabulary),
        targets: Int32Array.from({ length: rows }, (_, i) => i % vocabulary),
      };
      const gradients = {
        gradientWeight: new Float32Array(64 * vocabulary),
        gradientBias: new Float32Array(vocabulary),
      };
      const { losses } = backend.linearCrossEntropy(decoder, gradients, backend.createWorkspace());
      hash.update(losses).update(gradients.gradientWeight);
    }
    console.log(hash.digest("hex"), loadWasmKernels().startedThreads());`;
  // With the option, V8 checks addresses by the size that a thread knows.
  const options = ["", canReserveLess ? RESERVE_LESS : ""];
  for (const NODE_OPTIONS of options) {
    const outcomes = await Promise.all(
      ["1", "3"].map((THREADS) => outcomeOf(program, { THREADS, NODE_OPTIONS })),
    );
    const [alone, three] = outcomes.map(({ stdout }) => stdout.split(" "));
    assert.deepEqual(
      outcomes.map(({ code }) => code),
      [0, 0],
      outcomes.map(({ stdout }) => stdout).join("\n"),
    );
    assert.match(alone[0], /^[0-9a-f]{64}$/);
    assert.deepEqual(three, [alone[0], "3"]);
  }
});

test("The WebAssembly module uses the threads it has where Node starts no more", async () => {
  // Node's permissions are refused one by one, and threads are one of them.
  const flag = process.allowedNodeEnvironmentFlags.has("--permission")
    ? "--permission"
    : "--experimental-permission";
  const NODE_OPTIONS = `${flag} --allow-fs-read=* --no-warnings`;
  const program = `
    import { Worker } from "node:worker_threads";
    try { new Worker("", { eval: true }) } catch ({ code }) { console.log(code) }
    ${training(3)}`;
  const { code, stdout } = await outcomeOf(program, { NODE_OPTIONS });
  assert.deepEqual({ code, stdout }, { code: 0, stdout: `ERR_ACCESS_DENIED\n${expected} 1` });
});

const onLinux = { skip: process.platform !== "linux" && "ulimit -v is Linux's" };

slow("The WebAssembly module has fewer threads where addresses are limited", onLinux, async (t) => {
  if (!canReserveLess) {
    return t.skip("this Node.js can't reserve less for a module");
  }
  const env = { NODE_OPTIONS: RESERVE_LESS };
  const started: number[] = [];
  for (const gigabytes of [1.6, 2.5, 4, 6, 12, 30]) {
    const program = `${training(40)}
      const { openBackend } = await import("#src/backends/select.js");
      const { threads } = await openBackend("wasm", 40);
      await startWasmThreads(threads);
      console.log(threads, await trainForHash("wasm", 40, 12));`;
    const { code, stdout } = await outcomeOf(program, env, Math.round(gigabytes * 1e6));
    const [first, second] = stdout.split("\n").map((line) => line.split(" "));
    assert.deepEqual([code, first[0], second?.[1]], [0, expected, expected], stdout);
    started.push(Number(second[0]));
  }
  assert.equal(started[0], 1);
  assert.ok(started[5] > 4 && started[5] < 40, `${started}`);
  assert.deepEqual(
    started,
    started.toSorted((a, b) => a - b),
  );
});

/** Has the threads of the module that are started later fail as soon as they use their stack. */
const BREAK_STACKS = `
  import { ModuleMemory } from "#src/backends/wasm/memory.js";
  const { allocate } = ModuleMemory.prototype;
  // Where a stack would begin below the memory, the first use of it is a trap.
  ModuleMemory.prototype.allocate = function (bytes) {
    return bytes === 65536 ? -bytes : allocate.call(this, bytes);
  };`;

/** Lines that print what a few steps end with, tried twice. */
function failures(threads: number): string {
  return `
    import { trainForHash } from "${WORK}";
    import { startWasmThreads } from "${THREADS}";
    for (let i = 0; i < 2; i++) {
      try {
        await startWasmThreads(${threads});
        console.log(await trainForHash("wasm", ${threads}, 12));
      } catch (error) { console.log(error.stack.split("\\n")[0]) }
    }`;
}

test("A thread of the WebAssembly module that fails ends the work of all with its error", async () => {
  for (const threads of [2, 5]) {
    const { code, stdout } = await outcomeOf(`${BREAK_STACKS}${failures(threads)}`);
    assert.equal(code, 0, stdout);
    const [first, second] = stdout.split("\n");
    assert.match(first, /^RuntimeError: memory access out of bounds/);
    assert.match(second, /RuntimeError: memory access out of bounds|has failed before\.$/);
  }
});

test("A call of the WebAssembly module that has failed leaves nothing that a later one waits for", async () => {
  const program = `
    import { loadWasmKernels } from "${MODULE}";
    import { forwardArguments, sizesOf } from "${new URL("../../helpers/addon-calls.js", import.meta.url)}";
    import { Draw } from "${new URL("../../helpers/numbers.js", import.meta.url)}";
    import { ModuleMemory } from "#src/backends/wasm/memory.js";
    import { startWasmThreads } from "${THREADS}";
    await startWasmThreads(3);
    const kernels = loadWasmKernels();
    const values = forwardArguments(kernels, sizesOf("gru", "vectors"), new Draw(1));
    const { addressOf } = ModuleMemory.prototype;
    for (const isBroken of [false, true, false, false]) {
      // Nothing is there: the memory is not that large.
      ModuleMemory.prototype.addressOf = function (array) {
        return isBroken && array === values.weightHh ? 2 ** 32 - 2 ** 16 : addressOf.call(this, array);
      };
      try { kernels.forwardSequence(values); console.log("done") } catch ({ message, stack }) {
        console.log(message, /thread\\.js/.test(stack) ? "in another thread" : "");
      }
    }`;
  const { code, stdout } = await outcomeOf(program);
  assert.equal(code, 0, stdout);
  const [done, failed, ...later] = stdout.split("\n").map((line) => line.trim());
  assert.equal(done, "done");
  assert.match(failed, /^memory access out of bounds/);
  assert.equal(later.length, 2);
  for (const line of later) assert.match(line, /in another thread$|has failed before\.$/);
});
