import assert from "node:assert/strict";
import type { Backend } from "#src/backends/backend.js";
import { CELL_NAMES, type CellName, stateSize } from "#src/config/cells.js";
import { modelConfig } from "#src/config/model.js";
import { Random } from "#src/random.js";
import { initialModel } from "../helpers/models.js";
import { testOnEveryBackend } from "../helpers/on-every-backend.js";
import { undisposed } from "../helpers/undisposed.js";

const SIZES = { layers: 2, hiddenSize: 37, embeddingSize: 5, vocabularySize: 19 };

testOnEveryBackend(
  "a step of the first sequences gives what each of them gives alone",
  (backend) => {
    for (const cell of CELL_NAMES) {
      const model = modelOf(backend, cell);
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
  for (const cell of CELL_NAMES) {
    const model = modelOf(backend, cell);
    const session = model.openDecodeSession(4);
    session.step(Int32Array.of(1, 2));
    session.step(Int32Array.of(3, 4));
    const state = session.readState(1);
    assert.equal(state.length, stateSize(cell, SIZES.layers, SIZES.hiddenSize));
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
    const model = modelOf(backend, "lstm");
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

function modelOf(backend: Backend, cell: CellName) {
  return initialModel(backend, modelConfig({ cell, ...SIZES }), Random.fromSeed(4));
}
