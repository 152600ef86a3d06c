import assert from "node:assert/strict";
import type { Backend } from "#src/backends/backend.js";
import { CELL_NAMES, type CellName } from "#src/config/cells.js";
import { modelConfig } from "#src/config/model.js";
import { ngramTables } from "#src/config/ngrams.js";
import { Random } from "#src/random.js";
import { initialModel } from "../helpers/models.js";
import { Draw } from "../helpers/numbers.js";
import { testOnEveryBackend } from "../helpers/on-every-backend.js";
import { undisposed } from "../helpers/undisposed.js";

const SIZES = { layers: 2, hiddenSize: 37, embeddingSize: 5, vocabularySize: 19 };

const NGRAMS = { ngramOrder: 3, ngramRows: 500 };

/** Every cell, and one with embeddings of n-grams. */
const MODELS: readonly ({ readonly cell: CellName } & Partial<typeof NGRAMS>)[] = [
  ...CELL_NAMES.map((cell) => ({ cell })),
  { cell: "gru", ...NGRAMS },
];

testOnEveryBackend(
  "a step of the first sequences gives what each of them gives alone",
  (backend) => {
    for (const kind of MODELS) {
      const model = modelOf(backend, kind);
      const session = model.openDecodeSession(5);
      const alone = [0, 1, 2].map(() => model.openDecodeSession(1));
      for (const [step, count] of [3, 3, 2, 1, 1].entries()) {
        const tokens = Int32Array.from({ length: count }, (_, k) => (7 * step + 5 * k) % 19);
        const logits = session.step(tokens);
        assert.equal(logits.length, count * 19);
        for (let k = 0; k < count; k++) {
          const expected = alone[k].step(tokens.slice(k, k + 1));
          assertSame(backend, logits.slice(k * 19, (k + 1) * 19), expected);
          assert.ok(expected.some((logit) => logit !== 0));
        }
      }
      for (const each of [session, ...alone]) each.dispose();
      model.dispose();
    }
  },
);

testOnEveryBackend("a state that is written to another sequence goes on as it did", (backend) => {
  for (const kind of MODELS) {
    const model = modelOf(backend, kind);
    const session = model.openDecodeSession(4);
    session.step(Int32Array.of(1, 2));
    session.step(Int32Array.of(3, 4));
    const state = session.readState(1);
    assert.equal(state.length, model.stateSize);
    const [first, second] = rows(session.step(Int32Array.of(6, 6)));
    assert.notDeepEqual(first, second);
    session.writeState(3, state);
    session.writeState(0, state);
    session.writeState(2, new Float32Array(state.length));
    assert.deepEqual(session.readState(3), state);
    const [again, , begun, same] = rows(session.step(Int32Array.of(6, 0, 1, 6)));
    assertSame(backend, again, second);
    assertSame(backend, same, second);
    const fresh = model.openDecodeSession(1);
    assertSame(backend, begun, rows(fresh.step(Int32Array.of(1)))[0]);
    for (const each of [session, fresh]) each.dispose();
    model.dispose();
  }
});

testOnEveryBackend(
  "a session whose states are read and written leaves no tensors behind",
  (backend) => {
    const model = modelOf(backend, { cell: "lstm" });
    const before = undisposed();
    const session = model.openDecodeSession(3);
    session.step(Int32Array.of(1));
    session.writeState(2, session.readState(0));
    session.step(Int32Array.of(1, 2, 3));
    session.dispose();
    assert.equal(undisposed(), before);
    model.dispose();
  },
);

testOnEveryBackend(
  "a session of a model with embeddings of n-grams refuses tokens and states that there are not, and goes on as if it had not seen them",
  (backend) => {
    const model = modelOf(backend, { cell: "gru", ...NGRAMS });
    const [session, other] = [model.openDecodeSession(1), model.openDecodeSession(1)];
    for (const each of [session, other]) each.step(Int32Array.of(3));
    for (const token of [-1, 19]) {
      assert.throws(() => session.step(Int32Array.of(token)), TypeError, `${token}`);
    }
    for (const before of [-1, 20, 0.5, Number.NaN]) {
      const state = new Float32Array(model.stateSize);
      state[state.length - 2] = before;
      assert.throws(() => session.writeState(0, state), TypeError, `${before}`);
    }
    assert.deepEqual(session.step(Int32Array.of(4)).slice(), other.step(Int32Array.of(4)).slice());
    for (const each of [session, other]) each.dispose();
    model.dispose();
  },
);

/** TensorFlow's products of another number of rows may be rounded otherwise. */
function assertSame(backend: Backend, actual: Float32Array, expected: Float32Array): void {
  if (backend.name !== "tensorflow") {
    assert.deepEqual(actual, Float32Array.from(expected));
    return;
  }
  for (const [index, value] of actual.entries()) {
    assert.ok(Math.abs(value - expected[index]) < 1e-5, `${value} ${expected[index]}`);
  }
}

function rows(logits: Float32Array): Float32Array[] {
  const { vocabularySize } = SIZES;
  return Array.from({ length: logits.length / vocabularySize }, (_, k) =>
    logits.slice(k * vocabularySize, (k + 1) * vocabularySize),
  );
}

function modelOf(backend: Backend, kind: (typeof MODELS)[number]) {
  const model = initialModel(backend, modelConfig({ ...kind, ...SIZES }), Random.fromSeed(4));
  const draw = new Draw(5);
  for (const { name, rows } of ngramTables(model.config)) {
    model.parameters.writeSlice(name, draw.floats(rows * SIZES.embeddingSize));
  }
  return model;
}
