/** What limits on a text cost, and what an open model gains, with a model that was trained for this. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "#src/arrays.js";
import type { Checkpoint } from "#src/checkpoint/checkpoint.js";
import type { SampleSettings } from "#src/config/sample.js";
import { loadCheckpoint } from "#src/runs/load-checkpoint.js";
import { prepareSampling } from "#src/sampling/prepare.js";
import { sample } from "#src/sampling/sample.js";
import { generate } from "#src/sampling/sampler.js";
import { openModel } from "#src/serving/model.js";
import { CHARNN, SHAKESPEARE, secondsOf } from "./commands.js";

export const ONE_MODEL = [
  ...["--layers", "1", "--hidden-size", "256", "--embedding-size", "0", "--dropout", "0"],
  ...["--steps", "600"],
];
/** Their speed does not depend on what they have learned. */
export const THREE_MODELS = ["--preset", "medium", "--members", "3", "--steps", "20"];

/** Trains models in a temporary folder, which is removed afterwards. */
export async function withTrained<Result>(
  settings: readonly string[],
  use: (checkpoint: Checkpoint) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "charnn-bench-"));
  try {
    const options = ["--out", folder, "--name", "writer", ...settings];
    secondsOf([CHARNN, "train", SHAKESPEARE, ...options]);
    return await use(await loadCheckpoint("writer", { out: folder }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Characters that are timed in one piece, and how often. */
const CHARACTERS = 2_000;
const PIECES = 30;

/**
 * Times one text without limits and one with them in turn.
 *
 * @returns chars/s of both by the median, and the median of their ratios
 */
export async function costOf(
  checkpoint: Checkpoint,
  limits: SampleSettings,
  threads: number,
): Promise<{ readonly plain: number; readonly limited: number; readonly ratio: number }> {
  const settings = { length: -1, seed: "The ", randomSeed: 1, threads };
  const [plain, limited] = await Promise.all(
    [settings, { ...settings, ...limits }].map((given) => timer(checkpoint, given)),
  );
  const figures = { plain: [] as number[], limited: [] as number[] };
  for (let piece = 0; piece < PIECES; piece++) {
    figures.plain.push(plain.time());
    figures.limited.push(limited.time());
  }
  plain.dispose();
  limited.dispose();
  return {
    plain: median(figures.plain),
    limited: median(figures.limited),
    ratio: median(figures.limited.map((figure, piece) => figure / figures.plain[piece])),
  };
}

/** @returns chars/s of one text, the median of its pieces */
export async function textSpeed(checkpoint: Checkpoint, threads: number): Promise<number> {
  const settings = { length: -1, seed: "The ", randomSeed: 1, threads };
  const { time, dispose } = await timer(checkpoint, settings);
  const figures = Array.from({ length: PIECES }, time);
  dispose();
  return median(figures);
}

async function timer(checkpoint: Checkpoint, settings: SampleSettings) {
  const { model, vocabulary, generating, random } = await prepareSampling(
    [checkpoint],
    settings,
    {},
  );
  const begin = () => generate(model, vocabulary, generating, random);
  let steps = begin();
  const time = () => {
    const start = performance.now();
    for (let count = 0; count < CHARACTERS; count++) {
      // A text with an end is followed by another.
      if (steps.next().done) steps = begin();
    }
    return (1e3 * CHARACTERS) / (performance.now() - start);
  };
  // What is compiled late must not count.
  time();
  const dispose = () => {
    steps.return([]);
    model.dispose();
  };
  return { time, dispose };
}

/** Texts that a program asks for at the same time, and how long each is. */
export const CALLS = { count: 16, length: 200 };

/** @returns chars/s of texts that are written by an open model at the same time */
export async function openModelSpeed(checkpoint: Checkpoint, threads: number): Promise<number> {
  const model = await openModel(checkpoint, { threads });
  const { count, length } = CALLS;
  const speed = await speedOf(() =>
    Promise.all(
      Array.from({ length: count }, (_, randomSeed) =>
        model.write({ prompt: "The ", length, randomSeed }),
      ),
    ),
  );
  model.close();
  return speed;
}

/** @returns chars/s where each call opens the model for itself */
export function separateCallsSpeed(checkpoint: Checkpoint, threads: number): Promise<number> {
  const { count, length } = CALLS;
  const write = async (randomSeed: number) => {
    let text = "";
    const settings = { seed: "The ", length, randomSeed, threads };
    for await (const [character] of sample(checkpoint, settings)) text += character;
    return text;
  };
  return speedOf(() => Promise.all(Array.from({ length: count }, (_, seed) => write(seed))));
}

/** @returns chars/s by the median of some repetitions, after one that does not count */
async function speedOf(write: () => Promise<readonly string[]>): Promise<number> {
  await write();
  const figures: number[] = [];
  for (let repetition = 0; repetition < 7; repetition++) {
    const start = performance.now();
    const texts = await write();
    const characters = texts.reduce((sum, { length }) => sum + length, 0);
    figures.push((1e3 * characters) / (performance.now() - start));
  }
  return median(figures);
}

/** Of this many texts the likeliest is taken. */
export const BEST_OF = 64;

/** @returns chars/s of the texts from which the likeliest is taken, all counted */
export async function bestOfSpeed(checkpoint: Checkpoint, threads: number): Promise<number> {
  const settings = { seed: "The ", length: 1_000, bestOf: BEST_OF, randomSeed: 1, threads };
  return speedOf(async () => {
    const written: string[] = [];
    for await (const [text] of sample(checkpoint, settings)) written.push(text);
    // The others are as long.
    return Array.from({ length: BEST_OF }, () => written[0]);
  });
}
