import assert from "node:assert/strict";
import { test } from "node:test";
import { modelConfig } from "#src/config/model.js";
import { TRAIN_DEFAULTS } from "#src/config/train.js";
import { NO_DROPOUT } from "#src/model/dropout.js";
import { PRESETS, presetModel } from "#src/planning/presets.js";
import { randomBatches, type TrialCommand, withTrial } from "#src/planning/step-trial.js";
import { charactersPerSecond } from "#src/planning/trial.js";
import { Random } from "#src/random.js";
import { alone } from "#src/ranks/alone.js";
import type { RankZero } from "#src/ranks/rank-zero.js";
import { initialModel } from "../helpers/models.js";
import { undisposed } from "../helpers/undisposed.js";
import { wasmBackend } from "../helpers/wasm.js";

const SECONDS_TO_EXCHANGE = 4;

/** Rank 0 of some processes, which are told commands and send zeros. Only an exchange takes time, by its own clock. */
function rankZeroOf(size: number) {
  const commands: TrialCommand[] = [];
  let now = 0;
  const rankZero: RankZero<TrialCommand> = {
    ranks: {
      ...alone(),
      size,
      exchange(_, received) {
        now += SECONDS_TO_EXCHANGE;
        received.bytes.fill(0);
      },
      gather: (_, received) => received.bytes.fill(0),
    },
    async inAll(command, work) {
      commands.push(command);
      return work();
    },
  };
  return { rankZero, commands, clock: () => now };
}

const kindsOf = (commands: readonly TrialCommand[]) =>
  commands.map((command) => (command.kind === "run" ? command.part : command.kind));

test("The speed of several processes is that of all together, with the exchange of gradients", async () => {
  const { rankZero, commands, clock } = rankZeroOf(3);
  const before = undisposed();
  const { batchSize } = PRESETS.small;
  const model = presetModel("small", 20, 1e6);
  const training = { ...TRAIN_DEFAULTS, ...NO_DROPOUT, batchSize, workers: 3 };
  const options = { clock, rankZero, seconds: 60 };
  const speed = await charactersPerSecond(wasmBackend(), { model, training }, options);
  const characters = 3 * batchSize * TRAIN_DEFAULTS.seqLength;
  assert.equal(speed, characters / SECONDS_TO_EXCHANGE);
  assert.equal(undisposed(), before);
  const [first, ...others] = kindsOf(commands);
  assert.equal(first, "trial");
  assert.equal(others.pop(), "dispose");
  assert.deepEqual(new Set(others), new Set(["step"]));
});

test("All processes take part in a trial, and free what they made for it, also after an error", async () => {
  const config = modelConfig({
    cell: "gru",
    layers: 1,
    hiddenSize: 8,
    embeddingSize: 0,
    vocabularySize: 9,
  });
  const before = undisposed();
  const { rankZero, commands, clock } = rankZeroOf(2);
  const model = initialModel(wasmBackend(), config, Random.fromSeed(1));
  const weights = model.parameters.read().slice();
  const training = { ...TRAIN_DEFAULTS, ...NO_DROPOUT, batchSize: 3, workers: 2 };
  const parts = { model, training, batches: randomBatches(5, 6, 9) };
  const fails = withTrial(rankZero, parts, async (run) => {
    await run("step");
    assert.equal(clock(), SECONDS_TO_EXCHANGE);
    throw new RangeError("There is no memory.");
  });
  await assert.rejects(fails, RangeError);
  assert.deepEqual(kindsOf(commands), ["trial", "step", "dispose"]);
  assert.deepEqual(model.parameters.read(), weights);
  const [begin] = commands;
  assert.ok(begin.kind === "trial" && begin.time === 5 && begin.training.workers === 2);
  model.dispose();
  assert.equal(undisposed(), before);
});
