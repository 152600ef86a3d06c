/** A report that is served beside a run that reports fast, to very many who never read. */
import assert from "node:assert/strict";
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startCharnn, written } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";

const READERS = 900;
const SECONDS = 40;
/** Bytes of memory that may be added while it is read by nobody. */
const MAX_GROWTH = 100e6;

function linesOf(from: number, count: number): string {
  return Array.from({ length: count }, (_, k) => {
    const step = from + k;
    const report = { event: "step", step, epoch: 1, loss: 1 + 1 / step, learningRate: 0.01 };
    const line = `${JSON.stringify({ ...report, charsPerSecond: step, seconds: step })}\n`;
    const sample = { event: "sample", step, text: "text ".repeat(2_000) };
    return k % 100 === 0 ? `${line}${JSON.stringify(sample)}\n` : line;
  }).join("");
}

async function memoryOf(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
}

const skip = process.platform !== "linux" && "it takes /proc to see a process's memory";

for (const [what, name] of [
  ["events", "events"],
  ["pages", ""],
] as const) {
  test(`${what} that ${READERS} readers never read take no memory`, { skip }, async (t) => {
    const cwd = await temporaryFolder(t);
    const metrics = path.join(cwd, "checkpoints/run/metrics.jsonl");
    await mkdir(path.dirname(metrics), { recursive: true });
    await writeFile(metrics, linesOf(1, 5_000));
    const child = await startCharnn(t, ["report", "--watch"], { cwd, timeout: 300_000 });
    let address = "";
    child.stdout.on("data", (bytes) => {
      address += bytes;
    });
    await written(child.stdout, /\n/);
    const { port, search } = new URL(address.trim());
    const request = `GET /${name}${search} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
    const sockets = new Set<Socket>();
    t.after(() => {
      for (const socket of sockets) socket.destroy();
    });
    /** As a browser does, it connects again when it was dropped. */
    const connectOne = () => {
      const socket = connect(Number(port), "127.0.0.1", () => socket.write(request));
      socket.pause();
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
      });
      sockets.add(socket);
    };
    for (let k = 0; k < READERS; k++) connectOne();
    await sleep(5_000);
    const before = await memoryOf(child.pid);
    let most = before;
    let step = 5_001;
    for (let second = 0; second < SECONDS; second++) {
      await appendFile(metrics, linesOf(step, 500));
      step += 500;
      for (let k = sockets.size; k < READERS; k++) connectOne();
      await sleep(1_000);
      most = Math.max(most, await memoryOf(child.pid));
    }
    const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
    t.diagnostic(`${megabytes(before)} at first, ${megabytes(most)} at most`);
    assert.ok(most < before + MAX_GROWTH, `${megabytes(before)}, then ${megabytes(most)}`);
    // Those who do read are served all the same, when one of the others has gone.
    for (const socket of sockets) socket.destroy();
    let status = 0;
    while (status !== 200) {
      const answer = await fetch(address.trim());
      status = answer.status;
      await answer.text();
    }
  });
}
