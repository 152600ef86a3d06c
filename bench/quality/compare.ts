/**
 * The plain command beside what others recommend, one after the other on the same machine: the recipes of
 * `bench/peers/` (nanoGPT's for CPUs, the GRU of Keras's tutorial, one in PyTorch), and `charnn train` with
 * nothing but a time given, or with a preset too. Prints what each reaches, and keeps all losses on the way for
 * `curves.py` to draw.
 *
 *     npm run bench:compare -- TEXT [--peers nanogpt,keras,torch] [--runs 60s,10m,tiny@5m] [--peer-time 120]
 *         [--results compare.json]
 *
 * What the first peer takes becomes one of charnn's times. A peer that is not installed is left out, with a line.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CHARNN } from "../commands.js";
import { NOT_INSTALLED, pythonWith } from "../peers/find.js";

interface Recipe {
  readonly title: string;
  /** In `bench/peers/`. */
  readonly script: string;
  readonly needs: readonly string[];
}

const RECIPES: Readonly<Record<string, Recipe>> = {
  nanogpt: { title: "nanoGPT's recipe for CPUs", script: "nanogpt.py", needs: ["torch"] },
  keras: {
    title: "Keras, GRU 1x1024",
    script: "keras_rnn.py",
    needs: ["keras", "tensorflow"],
  },
  torch: { title: "PyTorch, GRU 1x512, 5 passes", script: "torch_recipe.py", needs: ["torch"] },
};

const {
  values: options,
  positionals: [text],
} = parseArgs({
  allowPositionals: true,
  options: {
    peers: { type: "string", default: "nanogpt" },
    "peer-time": { type: "string" },
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
for (const name of options.peers.split(",").filter(Boolean)) {
  const recipe = RECIPES[name];
  if (!recipe) throw new Error(`There is no peer ${name}, but: ${Object.keys(RECIPES).join(", ")}`);
  const python = pythonWith(...recipe.needs);
  if (python) keep(await peer(recipe, python));
  else console.log(`${recipe.title}: ${NOT_INSTALLED}`);
}
if (results.length > 0) runs.unshift(`${Math.round(results[0].seconds)}s`);
for (const run of runs) keep(await charnn(run));

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
): AsyncGenerator<[line: string, seconds: number]> {
  const start = performance.now();
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
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

async function peer({ title, script }: Recipe, python: string): Promise<Result> {
  const file = fileURLToPath(new URL(`../../bench/peers/${script}`, import.meta.url));
  const limit = options["peer-time"] ? ["--time", options["peer-time"]] : [];
  const curve: Curve = [];
  for await (const [line] of linesOf(python, [file, text, ...limit])) {
    const { seconds, loss } = JSON.parse(line);
    curve.push([seconds, loss]);
  }
  return resultOf(title, curve[curve.length - 1][0], curve);
}
