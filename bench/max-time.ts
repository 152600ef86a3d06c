/**
 * How well `--max-time` is kept: trains on texts of 1, 30 and 500 MB by the executable, and says what share
 * of the time each took, from the start of the process to its end. On a machine that does nothing else it
 * should be 85 to 105 %.
 *
 *     npm run bench:time [-- SECONDS...]
 */
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const SIZES = [1e6, 30e6, 500e6];
const asked = process.argv.slice(2).map(Number);
const times = asked.length > 0 ? asked : [20, 60];

const folder = mkdtempSync(path.join(tmpdir(), "charnn-max-time-"));
try {
  const block = readFileSync(path.join(root, "data", "shakespeare.txt"));
  for (const size of SIZES) {
    const text = path.join(folder, `${size}.txt`);
    const file = openSync(text, "w");
    for (let written = 0; written < size; ) {
      written += writeSync(file, block.subarray(0, Math.min(block.length, size - written)));
    }
    closeSync(file);
    for (const seconds of times) {
      const start = performance.now();
      const options = [
        "--max-time",
        `${seconds}s`,
        "--out",
        folder,
        "--name",
        "run",
        "--overwrite",
      ];
      const program = path.join(root, "bin", "charnn.js");
      const { status } = spawnSync(process.execPath, [program, "train", text, ...options], {
        stdio: ["ignore", "ignore", "inherit"],
      });
      const share = (performance.now() - start) / 1e3 / seconds;
      console.log(`${size / 1e6} MB, ${seconds} s: ${(100 * share).toFixed(0)} % (code ${status})`);
    }
    rmSync(text);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
