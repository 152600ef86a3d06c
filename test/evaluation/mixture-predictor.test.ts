/** Several models that read windows of a text, beside the session that reads it character by character. */

import assert from "node:assert/strict";
import type { Backend } from "#src/backends/backend.js";
import { modelConfig } from "#src/config/model.js";
import { ngramTables } from "#src/config/ngrams.js";
import { type Batch, IGNORED_TARGET, nothingBefore } from "#src/data/batch.js";
import { Vocabulary } from "#src/data/vocabulary.js";
import { MixturePredictor } from "#src/evaluation/mixture-predictor.js";
import { Random } from "#src/random.js";
import { Mixture, type OpenPart } from "#src/sampling/mixture.js";
import { Turns } from "#src/turns.js";
import { initialModel } from "../helpers/models.js";
import { assertClose, Draw } from "../helpers/numbers.js";
import { testOnEveryBackend } from "../helpers/on-every-backend.js";

/** So many rows and characters that a window is more than is held at once. */
const ROWS = 64;
const CHARACTERS = Array.from({ length: 70 }, (_, index) => 0x4e00 + index);

testOnEveryBackend(
  "Several models predict windows of a text as they do character by character",
  async (backend, draw) => {
    const vocabulary = Vocabulary.fromCodePoints(CHARACTERS);
    const parts = [
      opened(backend, vocabulary, { weight: 0.7, cell: "lstm" }),
      opened(backend, vocabulary, { weight: 0.3, cell: "gru" }),
    ];
    await assertSame(parts, vocabulary, [batchOf(draw, 240), batchOf(draw, 3)]);
  },
);

testOnEveryBackend(
  "Models of different characters predict windows of a text as they do character by character",
  async (backend, draw) => {
    const vocabulary = Vocabulary.fromCodePoints(CHARACTERS);
    const parts = [
      opened(backend, Vocabulary.fromCodePoints(CHARACTERS.slice(0, 69)), { weight: 0.5 }),
      opened(backend, Vocabulary.fromCodePoints(CHARACTERS.slice(2)), {
        ...{ weight: 0.2, cell: "lstm" },
      }),
      opened(backend, Vocabulary.fromCodePoints(CHARACTERS.slice(9), { unknown: true }), {
        weight: 0.3,
      }),
    ];
    const rare = (rows: number, time: number) => {
      const batch = batchOf(draw, time, rows);
      // Rows begin with what a model does not read, and have it in between, also several times.
      for (const [at, token] of [0, 0, 1, 69].entries()) batch.inputs[at] = token;
      return batch;
    };
    await assertSame(parts, vocabulary, [rare(3, 30), rare(3, 1), rare(3, 20)]);
  },
);

/** A model that has learned nothing. */
function opened(
  backend: Backend,
  vocabulary: Vocabulary,
  { weight, cell = "gru" }: { weight: number; cell?: "gru" | "lstm" },
): OpenPart {
  const config = modelConfig({
    ...{ cell, layers: 2, hiddenSize: 6, embeddingSize: 4, vocabularySize: vocabulary.size },
    ...(cell === "gru" && { ngramOrder: 4, ngramRows: 300 }),
  });
  const network = initialModel(backend, config, Random.fromSeed(vocabulary.size));
  // Larger ones, so that characters are not about equally likely.
  network.parameters.write(network.parameters.read().map((it) => 3 * it));
  const draw = new Draw(vocabulary.size);
  for (const { name, rows } of ngramTables(config)) {
    network.parameters.writeSlice(name, draw.floats(rows * config.embeddingSize));
  }
  return { network, vocabulary, weight };
}

function batchOf(draw: Draw, time: number, batch = ROWS): Batch {
  const inputs = draw.tokens(time * batch, CHARACTERS.length);
  const targets = draw.tokens(time * batch, CHARACTERS.length);
  for (let at = 0; at < targets.length; at += 5) targets[at] = IGNORED_TARGET;
  return { inputs, targets, before: nothingBefore(batch), time, batch, startsFresh: false };
}

async function assertSame(
  parts: readonly OpenPart[],
  vocabulary: Vocabulary,
  batches: readonly Batch[],
): Promise<void> {
  const predictor = new MixturePredictor(parts, vocabulary);
  const [{ batch: rows }] = batches;
  const session = new Mixture(parts, vocabulary).openDecodeSession(rows);
  let state = predictor.zeroState(rows);
  let clear = 0;
  for (const batch of batches) {
    const { positions, score, state: after } = await predictor.score(batch, state, new Turns());
    state = after;
    const losses: number[] = [];
    for (let first = 0; first < batch.inputs.length; first += rows) {
      session.read(batch.inputs.subarray(first, first + rows));
      for (let row = 0; row < rows; row++) {
        const target = batch.targets[first + row];
        if (target === IGNORED_TARGET) {
          losses.push(0);
          continue;
        }
        const probabilities = session.predict(row);
        const own = probabilities[target];
        losses.push(-Math.log(own));
        // Of nearly equal ones either may be the larger.
        if (probabilities.filter((it) => Math.abs(it - own) < 1e-5 * own).length > 1) continue;
        clear++;
        const rank = probabilities.filter((it) => it > own).length;
        assert.equal(positions.ranks[first + row], rank);
        assert.equal(positions.predictions[first + row] === target, rank === 0);
      }
    }
    assertClose(positions.losses, losses, 1e-5, "losses");
    const sum = losses.reduce((total, loss) => total + loss, 0);
    assertClose([score.loss], [sum], 1e-5, "sum of losses");
  }
  assert.ok(clear > 20);
  session.dispose();
  predictor.dispose();
}
