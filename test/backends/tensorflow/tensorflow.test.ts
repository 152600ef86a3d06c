/** What the tensorflow backend does beside the contract. */
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { Constants } from "#src/backends/tensorflow/constants.js";
import { Operations } from "#src/backends/tensorflow/operations.js";
import { readCheckpoint } from "#src/checkpoint/checkpoint.js";
import { CELL_NAMES } from "#src/config/cells.js";
import { assertClose, Draw } from "../../helpers/numbers.js";
import { slow } from "../../helpers/slow.js";
import { smallTraining } from "../../helpers/small-training.js";
import { onTensorFlow } from "../../helpers/tensorflow.js";
import { afterStep, smallRun, trained, workplace } from "../../helpers/training.js";

await onTensorFlow("The tensorflow backend", (backend) => {
  const { runtime } = backend;
  const { binding } = runtime;

  for (const cell of CELL_NAMES) {
    slow(
      `The tensorflow backend keeps no tensor of hundreds of steps, evaluations and sessions of a ${cell}`,
      () => {
        const start = binding.getNumOfTensors();
        const { model, step } = smallTraining(backend, cell);
        const round = (steps: number) => {
          for (let i = 0; i < steps; i++) step(1 + (i % 3), 1 + (i % 4));
          const session = model.openDecodeSession(2);
          for (let i = 0; i < 5; i++) session.step(Int32Array.of(i, 2 * i));
          session.dispose();
        };
        round(100);
        const after = binding.getNumOfTensors();
        for (let i = 0; i < 4; i++) round(100);
        assert.equal(binding.getNumOfTensors(), after);
        assert.ok(after - start < 400, `${after - start} tensors`);
        model.dispose();
      },
    );
  }

  test("The tensorflow backend frees all that a model had, but for constants", () => {
    const train = () => {
      const before = binding.getNumOfTensors();
      const { model, optimizer, gradients, average, step } = smallTraining(backend);
      for (let i = 0; i < 3; i++) step(2, 3);
      for (const each of [model, optimizer, gradients, average]) each.dispose();
      return binding.getNumOfTensors() - before;
    };
    train();
    assert.equal(train(), 0);
  });

  for (const cell of CELL_NAMES) {
    slow(
      `The tensorflow backend resumes a run of a ${cell} to the bytes of an unbroken one`,
      async (t) => {
        const place = await workplace(t);
        const shape = { cell, layers: 2, dropout: 0.3, embeddingSize: 5 } as const;
        const pace = { steps: 23, evalEvery: 7, saveEvery: 4, backend: "tensorflow" } as const;
        const whole = smallRun(place, { ...shape, ...pace, name: "whole" });
        await trained(whole);
        for (const step of [3, 14, 20]) {
          const name = `broken-${step}`;
          const { backend, out } = whole;
          await trained(smallRun(place, { ...shape, ...pace, name }), afterStep(step));
          await trained({ files: whole.files, name, out, backend, resume: true });
          for (const file of ["last.safetensors", "best.safetensors"]) {
            const [expected, actual] = await Promise.all(
              ["whole", name].map((run) => readCheckpoint(path.join(out, run, file))),
            );
            assert.deepEqual(actual.tensors, expected.tensors, `${file} after ${step}`);
          }
        }
      },
    );
  }

  test("The tensorflow backend shows in a whole what was written to its slices, and the other way round", () => {
    const shapes = new Map([
      ["a", [2, 2]],
      ["b", [1]],
      ["c", [2]],
    ]);
    // Made once, and never freed, are the constants that this takes.
    const first = backend.parameterArray(shapes);
    first.writeSlice("b", Float32Array.of(1));
    first.read();
    first.dispose();
    const before = binding.getNumOfTensors();
    const array = backend.parameterArray(shapes);
    const write = (name: string, ...values: number[]) =>
      array.writeSlice(name, Float32Array.from(values));
    const slices = () => [...array.byName.values()].map((slice) => [...slice.read()]);
    array.write(Float32Array.of(1, 2, 3, 4, 5, 6, 7));
    assert.deepEqual(slices(), [[1, 2, 3, 4], [5], [6, 7]]);
    write("b", 50);
    assert.deepEqual([...array.read()], [1, 2, 3, 4, 50, 6, 7]);
    write("a", 10, 20, 30, 40);
    write("c", 60, 70);
    assert.deepEqual([...array.of("a").read()], [10, 20, 30, 40]);
    assert.deepEqual([...array.read()], [10, 20, 30, 40, 50, 60, 70]);
    array.write(Float32Array.of(7, 6, 5, 4, 3, 2, 1));
    assert.deepEqual([...array.of("b").read()], [3]);
    array.write(Float32Array.of(1, 1, 1, 1, 1, 1, 1));
    // One slice is written while the others still wait for the whole's numbers.
    write("c", 8, 9);
    assert.deepEqual(slices(), [[1, 1, 1, 1], [1], [8, 9]]);
    assert.deepEqual([...array.read()], [1, 1, 1, 1, 1, 8, 9]);
    array.dispose();
    assert.equal(binding.getNumOfTensors(), before);
  });

  test("The tensorflow backend gives the same cross-entropy by the operations that a graphics processor takes", () => {
    const [rows, classes] = [7, 5];
    const draw = new Draw(3);
    const logits = draw.floats(rows * classes, 4);
    const labels = draw.tokens(rows, classes);
    const [fused, apart] = [false, true].map((onGpu) => {
      const there = Object.create(binding, { isUsingGpuDevice: { value: () => onGpu } });
      const ops = new Operations(new Constants(there));
      const inputs = [
        ops.tensor([rows, classes], "float32", logits.slice()),
        ops.tensor([rows], "int32", labels.slice()),
      ] as const;
      const made = ops.sparseSoftmaxCrossEntropy(...inputs, classes);
      const numbers = made.map((id) => ops.floats(id));
      ops.free();
      return numbers;
    });
    for (const [i, what] of ["losses", "gradients"].entries()) {
      assertClose(apart[i], fused[i], 1e-6, what);
    }
  });

  test("The tensorflow backend multiplies by TensorFlow's own product where the library has no other", () => {
    const executeOp: typeof binding.executeOp = (name, ...rest) => {
      if (name.startsWith("_Mkl")) throw new Error("Invalid TF_Status: 5");
      return binding.executeOp(name, ...rest);
    };
    const there = Object.create(binding, { executeOp: { value: executeOp } });
    const ops = new Operations(new Constants(there));
    assert.equal(ops.constants.oneDnn.size, 0);
    const matrix = (...numbers: number[]) =>
      ops.tensor([2, 2], "float32", Float32Array.from(numbers));
    const [a, b] = [matrix(1, 2, 3, 4), matrix(5, 6, 7, 8)];
    const numbers = (id: number) => [...ops.floats(id)];
    assert.deepEqual(numbers(ops.matMul(a, b)), [19, 22, 43, 50]);
    assert.deepEqual(numbers(ops.matMul(a, b, "left")), [26, 30, 38, 44]);
    assert.deepEqual(numbers(ops.matMul(a, b, "right")), [17, 23, 39, 53]);
    ops.free();
  });

  test("The tensorflow backend says why an operation refuses its inputs, and keeps nothing of it", () => {
    const multiply = () => runtime.run((ops) => ops.matMul(ops.zeros(2, 3), ops.zeros(2, 3)));
    assert.throws(multiply, /Matrix size-incompatible/);
    const before = binding.getNumOfTensors();
    assert.throws(multiply, /Matrix size-incompatible/);
    assert.equal(binding.getNumOfTensors(), before);
  });
});
