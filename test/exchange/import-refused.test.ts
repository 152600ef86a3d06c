/** What an import refuses: files of weights that can't be right. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { importRun } from "#src/index.js";
import { failsWith } from "../helpers/failure.js";
import {
  type ForeignTensors,
  filesToImport,
  fileWith,
  foreignTensors,
  renamed,
  safetensorsOf,
  without,
} from "../helpers/foreign-model.js";

const tensors = foreignTensors();
const changed = (name: string, it: ForeignTensors[string]) => ({ ...tensors, [name]: it });
const matrix = (...shape: number[]) => ({
  shape,
  data: new Float32Array(shape.reduce((size, length) => size * length, 1)),
});
const filled = (name: string, value: number) =>
  changed(name, { shape: tensors[name].shape, data: tensors[name].data.map(() => value) });

const REFUSED: readonly (readonly [
  what: string,
  weights: ForeignTensors | Uint8Array,
  ...says: string[],
])[] = [
  [
    "without a recurrent layer",
    without(tensors, "rnn.weight_hh_l0"),
    "rnn.weight_hh_l0 is missing",
    "It has encoder.weight [5, 3]",
  ],
  ["without a decoder", without(tensors, "decoder.weight"), "decoder.weight is missing"],
  [
    "with other names",
    renamed(tensors, (name) => name.replace("rnn.", "lstm.").replace("decoder", "fc")),
    "rnn.weight_hh_l0 is missing",
    '{"rnn":"lstm","decoder":"fc"}',
  ],
  ["with one of two biases", without(tensors, "rnn.bias_hh_l0"), "rnn.bias_hh_l0 is missing"],
  [
    "with rows of no cell",
    changed("rnn.weight_hh_l0", matrix(8, 4)),
    "rnn.weight_hh_l0 is [8, 4]",
    "[12, 4] (GRU)",
    "[16, 4] (LSTM)",
    "[4, 4] (tanh RNN)",
  ],
  [
    "with an embedding of another width",
    changed("encoder.weight", matrix(5, 2)),
    "rnn.weight_ih_l0 is [12, 3]",
    "[12, 2] would fit",
    "GRU 1x4",
  ],
  [
    "with an embedding of other characters",
    changed("encoder.weight", matrix(6, 3)),
    "encoder.weight is [6, 3]",
    "[5, 3] would fit",
  ],
  [
    "with a decoder of another width",
    changed("decoder.weight", matrix(5, 6)),
    "decoder.weight is [5, 6]",
    "[5, 4] would fit",
  ],
  [
    "with a bias of another length",
    changed("decoder.bias", matrix(4)),
    "decoder.bias is [4]",
    "[5] would fit",
  ],
  [
    "with a vector for a matrix",
    changed("decoder.weight", matrix(20)),
    "decoder.weight is [20]",
    "a matrix",
  ],
  [
    "with a matrix of nothing",
    changed("decoder.weight", matrix(0, 4)),
    "decoder.weight is [0, 4]",
    "a matrix",
  ],
  [
    "with a second layer that lacks a part",
    changed("rnn.weight_hh_l1", matrix(12, 4)),
    "rnn.weight_ih_l1 is missing",
  ],
  [
    "with a second layer of biases alone",
    changed("rnn.bias_hh_l1", matrix(12)),
    "rnn.weight_ih_l1 is missing",
  ],
  [
    "with a layer that is not the next",
    changed("rnn.weight_hh_l2", matrix(12, 4)),
    "rnn.weight_hh_l2 [12, 4] is not part of such a model",
  ],
  [
    "with another module",
    changed("norm.weight", matrix(4)),
    "norm.weight [4] is not part of such a model",
    "an encoder, recurrent layers and a decoder",
    "docs/checkpoint-format.md",
  ],
  [
    "that is bidirectional",
    { ...changed("rnn.weight_ih_l0_reverse", matrix(12, 3)), "decoder.weight": matrix(5, 8) },
    "rnn.weight_ih_l0_reverse [12, 3]",
    "bidirectional",
  ],
  [
    "with a projection",
    { ...changed("rnn.weight_hr_l0", matrix(2, 4)), "rnn.weight_hh_l0": matrix(16, 2) },
    "rnn.weight_hr_l0 [2, 4]",
    "proj_size",
  ],
  [
    "with NaN",
    filled("rnn.bias_ih_l0", Number.NaN),
    "rnn.bias_ih_l0 has numbers that are not finite",
  ],
  [
    "with infinite weights",
    filled("decoder.weight", Number.NEGATIVE_INFINITY),
    "decoder.weight has numbers that are not finite",
  ],
  [
    "with an infinite half",
    changed("decoder.bias", { shape: [5], data: new Uint16Array(5).fill(0x7c00) }),
    "decoder.bias has numbers that are not finite",
  ],
  [
    "with doubles beyond single precision",
    changed("decoder.bias", { shape: [5], data: new Float64Array(5).fill(1e39) }),
    "too large for single precision",
  ],
  [
    "with whole numbers",
    changed("decoder.bias", { shape: [5], data: new Int32Array(5) }),
    '"I32"',
    "F32, F16, BF16, F64 are read",
  ],
  [
    "with a name twice, once wrapped",
    { ...tensors, "module.decoder.bias": tensors["decoder.bias"] },
    "decoder.bias twice",
  ],
  ["of no tensors", {}, "rnn.weight_hh_l0 is missing", "It has no tensors"],
  ["of nothing", new Uint8Array(), "ends after 0 bytes"],
  ["that is cut in its header", safetensorsOf(tensors).subarray(0, 100), "ends after 100 bytes"],
  ["that is cut in its data", safetensorsOf(tensors).subarray(0, -4), "ends after"],
  [
    "that goes on after its data",
    Buffer.concat([safetensorsOf(tensors), Buffer.alloc(4)]),
    "goes on for 4 bytes",
  ],
  [
    "with a header of exabytes",
    Buffer.from([255, 255, 255, 255, 255, 255, 255, 127, 0x7b]),
    "it is not a safetensors file.",
  ],
  [
    "with overlapping tensors",
    fileWith(
      '{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"F16","shape":[2],"data_offsets":[2,6]}}',
      new Uint8Array(6),
    ),
    '"b" overlaps',
  ],
  [
    "with a tensor out of range",
    fileWith('{"a":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}}', new Uint8Array(8)),
    "ends after",
  ],
  [
    "with a size that its bytes don't have",
    fileWith('{"a":{"dtype":"F64","shape":[2],"data_offsets":[0,8]}}', new Uint8Array(8)),
    '"a" has 8 bytes',
    "F64 [2]",
  ],
  [
    "with a tensor twice",
    fileWith(
      '{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}',
      new Uint8Array(2),
    ),
    "a key twice",
  ],
  [
    "that torch.save wrote",
    Buffer.from("PK\x03\x04\x00\x00\x08\x08model/data.pkl", "latin1"),
    "a zip file",
    "safetensors first",
  ],
  [
    "that is a pickle",
    Buffer.from("\x80\x02}q\x00X\x07\x00\x00\x00encoder", "latin1"),
    "a pickle file",
    "safetensors first",
  ],
  [
    "that is HDF5",
    Buffer.from("\x89HDF\r\n\x1a\nxxxx", "latin1"),
    "an HDF5 file",
    "safetensors first",
  ],
  [
    "that is a text",
    Buffer.from("Shall I compare thee to a summer's day?"),
    "it is not a safetensors file.",
    "safetensors first",
  ],
];

for (const [what, weights, ...says] of REFUSED) {
  test(`An import refuses a file ${what}, and leaves nothing`, async (t) => {
    const settings = await filesToImport(t, weights);
    await assert.rejects(
      importRun(settings),
      failsWith("BAD_CHECKPOINT", "weights.safetensors can't be used", ...says),
    );
    await assert.rejects(readdir(settings.out), { code: "ENOENT" });
  });
}

test("An import refuses names and shapes of any length in a short message", async (t) => {
  const long = "x".repeat(50_000);
  const odd = { ...tensors, [long]: matrix(...Array.from({ length: 5_000 }, () => 1)) };
  await assert.rejects(importRun(await filesToImport(t, odd)), (error: Error) => {
    return error.message.length < 500 && /is not part of such a model/.test(error.message);
  });
});

test("An import refuses a checkpoint of charnn, which is a run already", async (t) => {
  const settings = await filesToImport(t, tensors);
  const { path: own } = await importRun(settings);
  await assert.rejects(
    importRun({ ...settings, weights: own, name: "again" }),
    failsWith("BAD_CHECKPOINT", "checkpoint of charnn", "no import"),
  );
});

test("An import that is aborted leaves nothing", async (t) => {
  const settings = await filesToImport(t, tensors);
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(importRun(settings, { signal }), /enough/);
  await assert.rejects(readdir(settings.out), { code: "ENOENT" });
});

test("An import of a file that is not there, or is a folder, says so", async (t) => {
  const settings = await filesToImport(t, tensors);
  const nosuch = path.join(settings.out, "nosuch");
  const files = ["weights", "vocabulary", "map"] as const;
  for (const name of files) {
    await assert.rejects(
      importRun({ ...settings, [name]: nosuch }),
      failsWith("NOT_FOUND", nosuch),
    );
    const folder = path.dirname(settings.weights);
    await assert.rejects(
      importRun({ ...settings, [name]: folder }),
      failsWith("BAD_CHECKPOINT", "it is a folder"),
    );
  }
});
