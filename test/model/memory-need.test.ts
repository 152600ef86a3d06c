/** Memory that threads take: as much as is reckoned before anything is made. */
import assert from "node:assert/strict";
import { threadsBytes } from "#src/model/memory-need.js";
import { outcomeOf } from "../helpers/program.js";
import { slow } from "../helpers/slow.js";

const WORK = new URL("../helpers/small-training.js", import.meta.url).href;
const THREADS = new URL("../helpers/wasm.js", import.meta.url).href;

const onLinux = { skip: process.platform !== "linux" && "/proc is Linux's" };

slow(
  "Each thread of the wasm backend takes about as much memory as is reckoned",
  onLinux,
  async () => {
    const peak = async (threads: number) => {
      const { code, stdout } = await outcomeOf(`
      import { readFileSync } from "node:fs";
      import { trainForHash } from "${WORK}";
      import { startWasmThreads } from "${THREADS}";
      await startWasmThreads(${threads});
      await trainForHash("wasm", ${threads}, 12);
      console.log(/^VmHWM:\\s*(\\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);`);
      assert.equal(code, 0, stdout);
      return 1024 * Number(stdout);
    };
    const taken = (await peak(9)) - (await peak(1));
    const reckoned = threadsBytes({ name: "wasm", threads: 9 });
    assert.ok(taken > 0.5 * reckoned && taken < 1.2 * reckoned, `${taken} of ${reckoned} bytes`);
    assert.equal(threadsBytes({ name: "wasm", threads: 1 }), 0);
  },
);
