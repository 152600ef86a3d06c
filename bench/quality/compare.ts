/**
 * The plain command beside what others recommend, one after the other on the same machine: nanoGPT's
 * recipe for CPUs, PyTorch's GRU as in `torch_recipe.py`, and `charnn train` with nothing but a time
 * given, or with a preset too. Prints what each reaches, and keeps all losses on the way for `curves.py`
 * to draw.
 *
 *     npm run bench:compare -- TEXT [--nanogpt FOLDER] [--torch EPOCHS] [--runs 60s,10m,tiny@5m]
 *         [--results compare.json]
 *
 * FOLDER is a clone of github.com/karpathy/nanoGPT; what it takes becomes one of charnn's times.
 */
import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CHARNN, PYTHON } from "../commands.js";

const RECIPE = fileURLToPath(new URL("../../bench/quality/torch_recipe.py", import.meta.url));
/** As in nanoGPT's README, for "a macbook (or other cheap computer)". */
const NANOGPT_OPTIONS = [
  "--device=cpu",
  "--compile=False",
  "--eval_iters=20",
  "--log_interval=50",
  "--block_size=64",
  "--batch_size=12",
  "--n_layer=4",
  "--n_head=4",
  "--n_embd=128",
  "--max_iters=2000",
  "--lr_decay_iters=2000",
  "--dropout=0.0",
];

const {
  values: options,
  positionals: [text],
} = parseArgs({
  allowPositionals: true,
  options: {
    nanogpt: { type: "string" },
    torch: { type: "string" },
    runs: { type: "string", default: "60s,10m" },
    results: { type: "string", default: "compare.json" },
  },
});
if (!text) throw new Error("Which text? npm run bench:compare -- TEXT");

/** Losses on the way, nats per character, after so many seconds. */
type Curve = [seconds: number, loss: number][];

interface Result {
  readonly name: string;
  /** What was chosen for it; of charnn alone. */
  readonly note?: string;
  readonly seconds: number;
  readonly loss: number;
  readonly curve: Curve;
}

const results: Result[] = [];
const runs = options.runs.split(",");
if (options.nanogpt) {
  keep(await nanoGpt(options.nanogpt));
  runs.unshift(`${Math.round(results[0].seconds)}s`);
}
for (const run of runs) keep(await charnn(run));
if (options.torch) keep(await torchRecipe(options.torch));

function keep(result: Result): void {
  results.push(result);
  const all = { text: path.basename(text), results };
  writeFileSync(options.results, `${JSON.stringify(all, null, 1)}\n`);
  const { name, note, seconds, loss } = result;
  const chosen = note ? `, ${note}` : "";
  console.log(`${name}: ${loss.toFixed(3)} after ${seconds} s${chosen}`);
}

function point(seconds: number, loss: number): Curve[number] {
  return [Number(seconds.toFixed(1)), Number(loss.toFixed(4))];
}

/** Lowest loss of all, as each of them keeps its best weights. */
function resultOf(name: string, seconds: number, curve: Curve, note?: string): Result {
  return {
    name,
    note,
    seconds: Number(seconds.toFixed(1)),
    loss: Math.min(...curve.map(([, loss]) => loss)),
    curve,
  };
}

/** What a command prints, line by line, each with the seconds since it began. */
async function* linesOf(
  command: string,
  args: readonly string[],
  cwd?: string,
): AsyncGenerator<[line: string, seconds: number]> {
  const start = performance.now();
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  for await (const line of createInterface(child.stdout)) {
    yield [line, (performance.now() - start) / 1e3];
  }
  const code = await ended;
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}`);
}

/** @param run a time, or a preset and a time */
async function charnn(run: string): Promise<Result> {
  const [time, preset] = run.split("@").reverse();
  const asked = [...(preset ? ["--preset", preset] : []), "--max-time", time];
  const folder = mkdtempSync(path.join(tmpdir(), "charnn-compare-"));
  const curve: Curve = [];
  let [note, seconds] = ["", 0];
  try {
    const args = [CHARNN, "train", text, ...asked, "--out", folder, "--json"];
    for await (const [line, now] of linesOf(process.execPath, args)) {
      const event = JSON.parse(line);
      if (event.event === "start") {
        const { preset, dropout, recurrentDropout } = event.config.training;
        const rates = `dropout ${dropout}, recurrent ${recurrentDropout}`;
        note = `${preset}, ${event.totalSteps} steps, ${rates}`;
      }
      if (event.event === "eval") curve.push(point(now, event.validationLoss));
      seconds = now;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return resultOf(`charnn ${asked.join(" ")}`, seconds, curve, note);
}

/** nanoGPT estimates its losses from windows that it draws at random. */
async function nanoGpt(clone: string): Promise<Result> {
  const data = path.join(clone, "data", "shakespeare_char");
  copyFileSync(text, path.join(data, "input.txt"));
  for await (const _ of linesOf(PYTHON, ["prepare.py"], data));
  const curve: Curve = [];
  let seconds = 0;
  const args = ["-u", "train.py", "config/train_shakespeare_char.py", ...NANOGPT_OPTIONS];
  for await (const [line, now] of linesOf(PYTHON, args, clone)) {
    const loss = /^step \d+: .*val loss ([\d.]+)/.exec(line)?.[1];
    if (loss) curve.push(point(now, Number(loss)));
    seconds = now;
  }
  return resultOf("nanoGPT's recipe for CPUs", seconds, curve);
}

async function torchRecipe(epochs: string): Promise<Result> {
  const curve: Curve = [];
  for await (const [line] of linesOf(PYTHON, [RECIPE, "--epochs", epochs, text])) {
    const { seconds, loss } = JSON.parse(line);
    curve.push([seconds, loss]);
  }
  return resultOf(`PyTorch GRU 1x512, ${epochs} passes`, curve[curve.length - 1][0], curve);
}
