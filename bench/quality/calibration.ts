/**
 * How well models are calibrated, and what the mean of their probabilities reaches: the loss at several temperatures
 * on the last tenth of a text, and the temperature that is best on the first half of it, tried on the second.
 *
 *     npm run bench:calibration -- TEXT CHECKPOINT... [--held-out 0.1] [--threads 1]
 *
 * Prints a line of JSON for each checkpoint, and one for all together where there are several. Losses are nats per
 * character. A checkpoint of several members counts as one.
 */
import { parseArgs } from "node:util";
import type { Checkpoint } from "#src/checkpoint/checkpoint.js";
import { membersOf } from "#src/checkpoint/members.js";
import { IGNORED_TARGET } from "#src/data/batch.js";
import { evaluationBatches, MAX_EVALUATION } from "#src/data/evaluation-batches.js";
import { knownPart } from "#src/data/known-part.js";
import { readTexts } from "#src/data/texts.js";
import type { Tokens } from "#src/data/vocabulary.js";
import { loadCheckpoint } from "#src/runs/load-checkpoint.js";
import { exponentials } from "#src/sampling/exponentials.js";
import { openNetwork } from "#src/sampling/open-network.js";

const TEMPERATURES = Array.from({ length: 9 }, (_, index) => (90 + 5 * index) / 100);
/** Where the best temperature is looked for, and how closely. */
const COLDEST = 0.5;
const WARMEST = 2;
const TOLERANCE = 1e-3;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

const {
  values: options,
  positionals: [textFile, ...names],
} = parseArgs({
  allowPositionals: true,
  options: {
    "held-out": { type: "string", default: "0.1" },
    threads: { type: "string", default: "1" },
  },
});
if (names.length === 0) throw new Error("Which checkpoints? npm run bench:calibration -- TEXT RUN");

/** What predicts a text: numbers whose softmax are the probabilities of each of its characters but the first. */
interface Predictions {
  /** `[characters, vocabulary]` */
  readonly logits: Float32Array;
  /** `[characters]` */
  readonly targets: Tokens;
}

let sum: Float64Array | undefined;
let first: { tokens: Tokens; characters: string } | undefined;
for (const name of names) {
  const checkpoint = await loadCheckpoint(name, { weightsOnly: true });
  const tokens = await heldOut(checkpoint);
  const characters = [...checkpoint.vocabulary.codePoints()].join();
  first ??= { tokens, characters };
  if (characters !== first.characters) throw new Error(`${name} knows other characters.`);
  const probabilities = await probabilitiesOf(checkpoint, tokens);
  print(name, tokens, probabilities, 1);
  if (sum) for (let i = 0; i < sum.length; i++) sum[i] += probabilities[i];
  else sum = probabilities;
}
if (first && sum && names.length > 1) print("all", first.tokens, sum, names.length);

/** The last part of the text. */
async function heldOut({ config, vocabulary }: Checkpoint): Promise<Tokens> {
  if (config.text.documents) throw new Error("Only running text is read.");
  const { lineEnds } = config.text;
  const reading = { encoding: "utf-8", lineEnds, rewriting: undefined, joined: true };
  const { texts } = await readTexts([textFile], reading);
  const { tokens } = await knownPart(texts[0], { vocabulary, ...config.text }, "error");
  return tokens.subarray(tokens.length - Math.round(tokens.length * Number(options["held-out"])));
}

/** The mean of the probabilities of a checkpoint's models, `[characters, vocabulary]`. */
async function probabilitiesOf(checkpoint: Checkpoint, tokens: Tokens): Promise<Float64Array> {
  const { size } = checkpoint.vocabulary;
  const probabilities = new Float64Array((tokens.length - 1) * size);
  const own = new Float64Array(size);
  const members = membersOf(checkpoint);
  for (const member of members) {
    const settings = { backend: "auto", threads: Number(options.threads) } as const;
    const model = await openNetwork(member, settings, MAX_EVALUATION);
    let state = model.zeroState(0);
    for await (const batch of evaluationBatches(tokens, undefined, checkpoint.vocabulary)) {
      if (batch.startsFresh) state = model.zeroState(batch.batch);
      const logits = new Float32Array(batch.targets.length * size);
      state = model.scoreWithLogits(batch, state, logits).state;
      for (const [at, target] of batch.targets.entries()) {
        if (target === IGNORED_TARGET) continue;
        const start = at * size;
        const total = exponentials(own, logits, start, highestOf(logits, start, size), 1);
        const to = (batch.positions[at] - 1) * size;
        for (let i = 0; i < size; i++) probabilities[to + i] += own[i] / total / members.length;
      }
    }
    model.dispose();
  }
  return probabilities;
}

/** @param total the sum of the probabilities of a character */
function print(name: string, tokens: Tokens, probabilities: Float64Array, total: number): void {
  const targets = tokens.subarray(1);
  const logits = Float32Array.from(probabilities, (own) => Math.log(own / total));
  const all = { logits, targets };
  const half = Math.floor(targets.length / 2);
  const cut = half * (logits.length / targets.length);
  const before = { logits: logits.subarray(0, cut), targets: targets.subarray(0, half) };
  const after = { logits: logits.subarray(cut), targets: targets.subarray(half) };
  const temperature = bestTemperature(before);
  const losses = TEMPERATURES.map((it) => [it.toFixed(2), rounded(meanLoss(all, it))]);
  const line = {
    ...{ name, characters: targets.length, losses: Object.fromEntries(losses) },
    temperature: Number(temperature.toFixed(3)),
    secondHalf: {
      plain: rounded(meanLoss(after, 1)),
      calibrated: rounded(meanLoss(after, temperature)),
    },
  };
  console.log(JSON.stringify(line));
}

/** By golden section: the loss has one minimum, since it is convex in the inverse of the temperature. */
function bestTemperature(predictions: Predictions): number {
  const lossAt = (inverse: number) => meanLoss(predictions, 1 / inverse);
  let [low, high] = [1 / WARMEST, 1 / COLDEST];
  let [left, right] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
  let [ofLeft, ofRight] = [lossAt(left), lossAt(right)];
  while (high - low > TOLERANCE) {
    if (ofLeft < ofRight) {
      [high, right, ofRight] = [right, left, ofLeft];
      left = high - GOLDEN * (high - low);
      ofLeft = lossAt(left);
    } else {
      [low, left, ofLeft] = [left, right, ofRight];
      right = low + GOLDEN * (high - low);
      ofRight = lossAt(right);
    }
  }
  return 2 / (low + high);
}

function meanLoss({ logits, targets }: Predictions, temperature: number): number {
  const weights = new Float64Array(logits.length / targets.length);
  let sum = 0;
  for (const [position, target] of targets.entries()) {
    const start = position * weights.length;
    const highest = highestOf(logits, start, weights.length);
    const total = exponentials(weights, logits, start, highest, temperature);
    sum += Math.log(total) - (logits[start + target] - highest) / temperature;
  }
  return sum / targets.length;
}

function highestOf(logits: Float32Array, start: number, size: number): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (let i = start; i < start + size; i++) if (logits[i] > highest) highest = logits[i];
  return highest;
}

function rounded(value: number): number {
  return Number(value.toFixed(5));
}
