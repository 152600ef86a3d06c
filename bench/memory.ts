/**
 * How well the memory that training needs is estimated: trains models of many shapes by the executable, and
 * prints the most memory that each process had next to the estimate (`src/planning/memory-need.ts`).
 *
 *     npm run bench:memory [-- BACKEND]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { readCheckpointFacts } from "#src/checkpoint/checkpoint.js";
import { BACKEND_NAMES } from "#src/config/names.js";
import { trainingBytes, trainingShape } from "#src/planning/memory-need.js";

const MANY_PARAMETERS = "--hidden-size 1024 --batch-size 2 --seq-length 16";
const MANY_PLACES = "--hidden-size 256 --batch-size 64 --seq-length 512";
const SHAPES = [
  MANY_PARAMETERS,
  `${MANY_PARAMETERS} --optimizer sgd --average-decay 0`,
  `${MANY_PARAMETERS} --optimizer rmsprop --accumulate 2`,
  `${MANY_PARAMETERS} --init-from base`,
  "--hidden-size 512 --batch-size 8 --layers 4",
  "--hidden-size 64 --batch-size 2 --seq-length 16 --embedding-size 32768",
  MANY_PLACES,
  `${MANY_PLACES} --cell lstm`,
  `${MANY_PLACES} --cell rnn`,
  `${MANY_PLACES} --dropout 0.2 --recurrent-dropout 0.2 --input-dropout 0.1 --weight-dropout 0.1`,
  "--hidden-size 256 --batch-size 64 --seq-length 256 --layers 4",
];
/** Of a text with this many different characters. */
const WIDE = 20_000;
const WIDE_SHAPES = ["--hidden-size 256 --batch-size 4 --seq-length 16", MANY_PLACES];

const backend = BACKEND_NAMES.find((name) => name === process.argv[2]) ?? "native";
const program = fileURLToPath(new URL("../bin/charnn.js", import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), "charnn-memory-"));
const status = path.join(folder, "status");
const hook = `
  import { readFileSync, writeFileSync } from "node:fs";
  import { isMainThread } from "node:worker_threads";
  if (isMainThread) process.on("exit", () => {
    writeFileSync(${JSON.stringify(status)}, readFileSync("/proc/self/status"));
  });
`;

/** Trains, and returns the bytes of memory that the process had at most. */
function train(line: string): number {
  const words = `train ${line} --backend ${backend} --quiet`.split(" ");
  const args = ["--import", `data:text/javascript,${encodeURIComponent(hook)}`, program, ...words];
  const { status: code, stderr } = spawnSync(process.execPath, args, {
    cwd: folder,
    encoding: "utf8",
  });
  if (code !== 0) throw new Error(`${line}: ${stderr}`);
  const [, kilobytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(status, "utf8")) ?? [];
  return 1024 * Number(kilobytes);
}

async function print(what: string, peak: number): Promise<void> {
  const { config } = await readCheckpointFacts(
    path.join(folder, "checkpoints/run/last.safetensors"),
  );
  const estimate =
    without + trainingBytes(trainingShape(config, { name: backend, threads: 1 }, { size: 1 }));
  const [mb, difference] = [peak / 1e6, 100 * (estimate / peak - 1)].map((it) => it.toFixed(0));
  console.log(`${mb} MB, estimate ${difference} %: ${what}`);
}

let without = 0;
try {
  const letters = Array.from({ length: 100_000 }, (_, k) =>
    String.fromCharCode(97 + ((k * k) % 53)),
  );
  writeFileSync(path.join(folder, "text.txt"), letters.join(""));
  const wide = letters.map((_, k) => String.fromCharCode(0x4e00 + ((k * k) % WIDE)));
  writeFileSync(path.join(folder, "wide.txt"), wide.join(""));
  train(`text.txt --name base --steps 1 ${MANY_PARAMETERS}`);
  const smallest = "text.txt --name run --overwrite --steps 1 --hidden-size 8 --batch-size 1";
  const peak = train(`${smallest} --seq-length 8`);
  // What the process takes beside the model.
  const { config } = await readCheckpointFacts(
    path.join(folder, "checkpoints/run/last.safetensors"),
  );
  without = peak - trainingBytes(trainingShape(config, { name: backend, threads: 1 }, { size: 1 }));
  console.log(`${backend}; ${(peak / 1e6).toFixed(0)} MB with the smallest model`);
  for (const shape of SHAPES) {
    await print(shape, train(`text.txt --name run --overwrite --steps 1 ${shape}`));
    if (!shape.includes("--init-from")) {
      await print(`${shape} --resume`, train(`text.txt --name run --resume --steps 2 ${shape}`));
    }
  }
  for (const shape of WIDE_SHAPES) {
    const line = `wide.txt --name run --overwrite --steps 1 ${shape}`;
    await print(`${shape}, ${WIDE} different characters`, train(line));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
