/**
 * What processes cost on one machine: the speed of two with one thread each beside one process with two threads and as
 * many workers, in turns.
 *
 *     npm run bench:ranks -- [--launcher "mpirun --bind-to none"] [--preset medium] [--rounds 5]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { median } from "#src/arrays.js";
import { CHARNN, SHAKESPEARE } from "../commands.js";
import { machineFacts } from "../machine.js";

const { values: options } = parseArgs({
  options: {
    launcher: { type: "string", default: "mpirun --bind-to none" },
    preset: { type: "string", default: "medium" },
    steps: { type: "string", default: "60" },
    rounds: { type: "string", default: "5" },
  },
});
const [launcher, ...words] = options.launcher.split(" ");

console.log(machineFacts());
const ratios: number[] = [];
for (let round = 0; round < Number(options.rounds); round++) {
  const threads = speed(process.execPath, [], 2);
  const processes = speed(launcher, [...words, "-n", "2", process.execPath], 1);
  ratios.push(processes / threads);
  console.log(
    `2 threads ${threads.toFixed(0)} chars/s, 2 processes ${processes.toFixed(0)}: ${(processes / threads).toFixed(3)}`,
  );
}
console.log(`median of the ratios ${median(ratios).toFixed(3)}`);

/** The median speed of the steps, chars/s. */
function speed(command: string, before: readonly string[], threads: number): number {
  const folder = mkdtempSync(path.join(tmpdir(), "charnn-ranks-"));
  try {
    const args = [
      ...[...before, CHARNN, "train", SHAKESPEARE, "--preset", options.preset, "--workers", "2"],
      ...["--threads", `${threads}`, "--steps", options.steps, "--eval-every", "100000"],
      ...["--no-samples", "--json", "--out", folder],
    ];
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    const steps = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .filter(({ event }) => event === "step");
    return median(steps.slice(steps.length / 2).map(({ charsPerSecond }) => charsPerSecond));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
