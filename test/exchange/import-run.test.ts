/** Imported models, from files made by hand. import-torch.test.ts imports those of PyTorch itself. */
import assert from "node:assert/strict";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { CELL_NAMES } from "#src/config/cells.js";
import type { ImportSettings } from "#src/config/import.js";
import type { ModelConfig } from "#src/config/model.js";
import { importRun, loadCheckpoint, openModel, train } from "#src/index.js";
import { failsWith } from "../helpers/failure.js";
import {
  CHARACTERS,
  type ForeignTensors,
  filesToImport,
  foreignTensors,
  renamed,
  SMALL_MODEL,
  without,
} from "../helpers/foreign-model.js";
import { assertClose, numbersOf } from "../helpers/numbers.js";

const TEXT = "ab\néa😀bba\n";

/** The bits of each character of a text to the model of an import. */
async function bitsAfter(settings: ImportSettings, text = TEXT): Promise<number[]> {
  const { path: checkpoint } = await importRun(settings);
  const model = await openModel(checkpoint, { backend: "wasm" });
  try {
    return (await model.score(text)).flatMap(({ bits }) => (bits === undefined ? [] : [bits]));
  } finally {
    model.close();
  }
}

for (const cell of CELL_NAMES) {
  for (const layers of [1, 2]) {
    for (const embeddingSize of [0, 3]) {
      test(`An imported ${cell} of ${layers} layers with embedding ${embeddingSize} has the sizes that its shapes tell, and its weights`, async (t) => {
        const model: ModelConfig = { ...SMALL_MODEL, cell, layers, embeddingSize };
        const tensors = foreignTensors(model);
        const settings = await filesToImport(t, tensors);
        const { path: file } = await importRun(settings);
        const { config, vocabulary, progress, tensors: read } = await loadCheckpoint(file);
        assert.deepEqual(config.model, model);
        assert.deepEqual([config.imported, progress.step], [true, 0]);
        assert.deepEqual(vocabulary.toJSON(), CHARACTERS);
        assert.deepEqual(
          [...read].map(([name, { shape, data }]) => [name, { shape, data }]),
          Object.entries(tensors),
        );
      });
    }
  }
}

for (const embeddingSize of [0, 3]) {
  test(`An imported model with embedding ${embeddingSize} predicts the same in whatever order its characters were`, async (t) => {
    const model = { ...SMALL_MODEL, embeddingSize };
    const sorted = foreignTensors(model);
    // The character with index k in sorted order has index order[k] here.
    const order = [3, 0, 4, 1, 2];
    const rowsMoved = ({ shape: [rows, columns = 1], data }: ForeignTensors[string]) => {
      const moved = new Float32Array(data.length);
      for (let row = 0; row < rows; row++) {
        const from = numbersOf(data as Float32Array).subarray(row * columns, (row + 1) * columns);
        moved.set(from, order[row] * columns);
      }
      return moved;
    };
    const columnsMoved = ({ shape: [, columns], data }: ForeignTensors[string]) =>
      data.map((_, at) => data[at - (at % columns) + order.indexOf(at % columns)]);
    const shuffled = Object.fromEntries(
      Object.entries(sorted).map(([name, tensor]) => {
        if (/^(encoder|decoder)/.test(name)) return [name, { ...tensor, data: rowsMoved(tensor) }];
        const isInput = name === "rnn.weight_ih_l0" && embeddingSize === 0;
        return [name, isInput ? { ...tensor, data: columnsMoved(tensor) } : tensor];
      }),
    );
    const vocabulary = JSON.stringify(order.map((_, at) => CHARACTERS[order.indexOf(at)]));
    const expected = await bitsAfter(await filesToImport(t, sorted));
    const bits = await bitsAfter(await filesToImport(t, shuffled, { vocabulary }));
    assertClose(bits, expected, 1e-6, "bits");
    assert.notEqual(vocabulary, JSON.stringify(CHARACTERS));
  });
}

for (const [ngramRows, expected] of [
  [300, { ngramOrder: 3, ngramRows: 216 }],
  [100, { ngramOrder: 3, ngramRows: 100 }],
  [20, { ngramOrder: 3, ngramRows: 20 }],
] as const) {
  test(`An imported model with embeddings of n-grams in at most ${ngramRows} rows is recognized by their shapes, where its characters are in the order of charnn`, async (t) => {
    const model = { ...SMALL_MODEL, embeddingSize: 3, ngramOrder: 3, ngramRows };
    const tensors = foreignTensors(model);
    const { path: file } = await importRun(await filesToImport(t, tensors));
    const { config, tensors: read } = await loadCheckpoint(file);
    assert.deepEqual(config.model, { ...model, ...expected });
    assert.deepEqual([...read.keys()], Object.keys(tensors));
    const vocabulary = JSON.stringify(CHARACTERS.toReversed());
    await assert.rejects(
      importRun(await filesToImport(t, tensors, { vocabulary })),
      failsWith("BAD_CHECKPOINT", "n-grams", "order"),
    );
  });
}

test("An imported model has the names that a map gives, with a module's or a tensor's", async (t) => {
  const tensors = foreignTensors();
  const expected = await bitsAfter(await filesToImport(t, tensors));
  const modules = { encoder: "embed", rnn: "core.lstm", decoder: "head" };
  const names = new Map(Object.entries(modules));
  const moved = renamed(tensors, (name) => {
    const [module, ...rest] = name.split(".");
    return [names.get(module), ...rest].join(".");
  });
  const byModule = await filesToImport(t, moved, { map: JSON.stringify(modules) });
  assertClose(await bitsAfter(byModule), expected, 1e-9, "by module");
  const one = renamed(tensors, (name) => (name === "decoder.bias" ? "bias" : name));
  const byTensor = await filesToImport(t, one, { map: '{"decoder.bias":"bias"}' });
  assertClose(await bitsAfter(byTensor), expected, 1e-9, "by tensor");
});

test("An imported model may share the weights of its embedding and its decoder", async (t) => {
  const tensors = foreignTensors({ ...SMALL_MODEL, embeddingSize: SMALL_MODEL.hiddenSize });
  const shared = { ...tensors, "decoder.weight": tensors["encoder.weight"] };
  const expected = await bitsAfter(await filesToImport(t, shared));
  const map = '{"decoder.weight":"encoder.weight"}';
  const bits = await bitsAfter(await filesToImport(t, without(tensors, "decoder.weight"), { map }));
  assertClose(bits, expected, 1e-9, "bits");
});

test("An imported model may have been wrapped by DataParallel and torch.compile", async (t) => {
  const tensors = foreignTensors();
  const expected = await bitsAfter(await filesToImport(t, tensors));
  for (const prefix of ["module.", "_orig_mod.", "module._orig_mod."]) {
    const wrapped = await filesToImport(
      t,
      renamed(tensors, (name) => `${prefix}${name}`),
    );
    assertClose(await bitsAfter(wrapped), expected, 1e-9, prefix);
  }
});

test("An imported model without biases has zeros in their place", async (t) => {
  const tensors = foreignTensors();
  const biases = Object.keys(tensors).filter((name) => name.includes("bias"));
  const zeros = Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => [
      name,
      { shape, data: biases.includes(name) ? new Float32Array(data.length) : data },
    ]),
  );
  const expected = await bitsAfter(await filesToImport(t, zeros));
  const bits = await bitsAfter(await filesToImport(t, without(tensors, ...biases)));
  assertClose(bits, expected, 1e-9, "bits");
});

test("Imported weights of double, half and brain precision become single ones", async (t) => {
  // Bits and numbers by IEEE 754; the smallest half and a subnormal one among them.
  const halves: [bits: number, value: number][] = [
    [0x3c00, 1],
    [0xc000, -2],
    [0x3555, 0.333251953125],
    [0x7bff, 65504],
    [0x0001, 2 ** -24],
    [0x83ff, -(1023 / 1024) * 2 ** -14],
    [0x8000, -0],
  ];
  const brains: [bits: number, value: number][] = [
    [0x3f80, 1],
    [0xc000, -2],
    [0x4049, 3.140625],
    [0x7f7f, 3.3895313892515355e38],
    [0x8000, -0],
  ];
  const tensors = foreignTensors();
  const { shape } = tensors["rnn.weight_ih_l0"];
  const fill = <Item>(items: readonly Item[], length: number) =>
    Array.from({ length }, (_, k) => items[k % items.length]);
  const [ih, hh] = [fill(halves, 36), fill(brains, 48)];
  const doubles = Array.from({ length: 20 }, (_, k) => Math.PI / (k + 1));
  const settings = await filesToImport(t, {
    ...tensors,
    "rnn.weight_ih_l0": { shape, data: Uint16Array.from(ih, ([bits]) => bits), type: "F16" },
    "rnn.weight_hh_l0": {
      shape: tensors["rnn.weight_hh_l0"].shape,
      data: Uint16Array.from(hh, ([bits]) => bits),
      type: "BF16",
    },
    "decoder.weight": { shape: [5, 4], data: Float64Array.from(doubles) },
  });
  const { tensors: read } = await importRun(settings);
  const valuesOf = (name: string) => read.get(name)?.data;
  assert.deepEqual(
    valuesOf("rnn.weight_ih_l0"),
    Float32Array.from(ih, ([, value]) => value),
  );
  assert.deepEqual(
    valuesOf("rnn.weight_hh_l0"),
    Float32Array.from(hh, ([, value]) => value),
  );
  assert.deepEqual(valuesOf("decoder.weight"), Float32Array.from(doubles));
});

test("The same import makes the same bytes, and a run that can't be resumed", async (t) => {
  const settings = await filesToImport(t, foreignTensors());
  const { path: first } = await importRun(settings);
  const { path: second } = await importRun({ ...settings, name: "again" });
  assert.deepEqual(await readFile(first), await readFile(second));
  const text = path.join(path.dirname(settings.weights), "text.txt");
  await writeFile(text, "abba\n".repeat(200));
  const resumed = train({ files: [text], out: settings.out, name: "imported", resume: true });
  await assert.rejects(
    resumed.next(),
    failsWith("CANNOT_RESUME", "imported", "`initFrom: imported`"),
  );
});

test("An import without a name is named after the file and the model, and takes no name that is taken", async (t) => {
  const { name: _, ...settings } = await filesToImport(t, foreignTensors());
  await importRun(settings);
  await importRun(settings);
  assert.deepEqual((await readdir(settings.out)).sort(), ["weights-gru-1x4", "weights-gru-1x4-2"]);
});

test("An import replaces a run of its name only when it is told to", async (t) => {
  const settings = await filesToImport(t, foreignTensors());
  const { path: file } = await importRun(settings);
  const before = await readFile(file);
  const other = await filesToImport(t, foreignTensors(SMALL_MODEL, 2));
  const again = { ...other, out: settings.out };
  await assert.rejects(importRun(again), failsWith("RUN_EXISTS", "imported", "`overwrite`"));
  assert.deepEqual(await readFile(file), before);
  await importRun({ ...again, overwrite: true });
  assert.notDeepEqual(await readFile(file), before);
  const lines = await readFile(path.join(path.dirname(file), "metrics.jsonl"), "utf8");
  assert.equal(lines.split("\n").length, 2);
});

test("An import that was killed before its checkpoint was whole can be repeated", async (t) => {
  const settings = await filesToImport(t, foreignTensors());
  const { path: file } = await importRun(settings);
  await rm(file);
  assert.equal((await importRun(settings)).path, file);
});
