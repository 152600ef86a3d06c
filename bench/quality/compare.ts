/**
 * The plain command beside what others recommend, one after the other on the same machine: the recipes of
 * `bench/peers/` (nanoGPT's for CPUs, the GRU of Keras's tutorial, one in PyTorch), and `charnn train` with
 * nothing but a time given, or with a preset too. Prints what each reaches, and keeps all losses on the way for
 * `curves.py` to draw.
 *
 *     npm run bench:compare -- TEXT [--peers nanogpt,keras,torch] [--runs 60s,10m,tiny@5m] [--seeds 0,1,2]
 *         [--peer-time 120] [--validation 0.1] [--results compare.json]
 *
 * What the first peer takes becomes one of charnn's times; `--runs ''` leaves it at that. Each of charnn's runs is made once with each
 * random seed. The loss is that of the whole held-out part, the last tenth unless another fraction is given. Peers score all
 * of it within their time, up to 20 times, so give a small fraction where a text is long. A peer that is not installed is left out, with a line.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readCheckpoint } from "#src/checkpoint/checkpoint.js";
import { CHARNN } from "../commands.js";
import { NOT_INSTALLED, pythonWith } from "../peers/find.js";
import { wholeLosses } from "./held-out.js";

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
    validation: { type: "string" },
    runs: { type: "string", default: "60s,10m" },
    seeds: { type: "string", default: "0" },
    results: { type: "string", default: "compare.json" },
  },
});
if (!text) throw new Error("Which text? npm run bench:compare -- TEXT");

const heldOut = options.validation ? ["--validation", options.validation] : [];

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
const runs = options.runs.split(",").filter(Boolean);
const seeds = options.seeds.split(",").map(Number);
for (const name of options.peers.split(",").filter(Boolean)) {
  const recipe = RECIPES[name];
  if (!recipe) throw new Error(`There is no peer ${name}, but: ${Object.keys(RECIPES).join(", ")}`);
  const python = pythonWith(...recipe.needs);
  if (python) keep(await peer(recipe, python));
  else console.log(`${recipe.title}: ${NOT_INSTALLED}`);
}
if (results.length > 0) runs.unshift(`${Math.round(results[0].seconds)}s`);
for (const run of runs) for (const seed of seeds) keep(await charnn(run, seed));

function keep(result: Result): void {
  results.push(result);
  const all = { text: path.basename(text), results };
  writeFileSync(options.results, `${JSON.stringify(all, null, 1)}\n`);
  const { name, note, seconds, loss } = result;
  const chosen = note ? `, ${note}` : "";
  console.log(`${name}: ${loss.toFixed(3)} after ${seconds} s${chosen}`);
}

function rounded(loss: number): number {
  return Number(loss.toFixed(4));
}

function point(seconds: number, loss: number): Curve[number] {
  return [Number(seconds.toFixed(1)), rounded(loss)];
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
async function charnn(run: string, seed: number): Promise<Result> {
  const [time, preset] = run.split("@").reverse();
  const ofSeed = seed === 0 ? [] : ["--random-seed", `${seed}`];
  const asked = [...(preset ? ["--preset", preset] : []), "--max-time", time, ...ofSeed];
  const folder = mkdtempSync(path.join(tmpdir(), "charnn-compare-"));
  const curve: Curve = [];
  let [note, seconds, best] = ["", 0, ""];
  try {
    const args = [CHARNN, "train", text, ...asked, ...heldOut, "--out", folder, "--json"];
    for await (const [line, now] of linesOf(process.execPath, args)) {
      const event = JSON.parse(line);
      if (event.event === "start") {
        const { preset, members = 1, dropout } = event.config.training;
        note = `${members > 1 ? `${members} ` : ""}${preset}, dropout ${dropout}`;
      }
      if (event.event === "eval") curve.push(point(now, event.validationLoss));
      if (event.event === "end") {
        note += `, ${event.step} steps`;
        best = event.path;
      }
      seconds = now;
    }
    const losses = await wholeLosses(text as string, await readCheckpoint(best));
    const loss = rounded(losses.at(-1) ?? Number.NaN);
    const name = `charnn ${asked.join(" ")}`;
    return { name, note, seconds: Number(seconds.toFixed(1)), loss, curve };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function peer({ title, script }: Recipe, python: string): Promise<Result> {
  const file = fileURLToPath(new URL(`../../bench/peers/${script}`, import.meta.url));
  const limit = options["peer-time"] ? ["--time", options["peer-time"]] : [];
  const curve: Curve = [];
  for await (const [line] of linesOf(python, [file, text, ...limit, ...heldOut])) {
    const { seconds, loss } = JSON.parse(line);
    curve.push([seconds, loss]);
  }
  // The lowest of all: peers keep their best weights too.
  const loss = Math.min(...curve.map(([, own]) => own));
  return { name: title, seconds: curve[curve.length - 1][0], loss, curve };
}
