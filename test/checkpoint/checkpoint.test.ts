import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, open, readFile, truncate, writeFile } from "node:fs/promises";
import { totalmem } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  type Checkpoint,
  readCheckpoint,
  readCheckpointFacts,
  writeCheckpoint,
} from "#src/checkpoint/checkpoint.js";
import { tensorShapes } from "#src/checkpoint/checkpoint-tensors.js";
import { decodeHeader, encodeSafetensors, type NamedTensor } from "#src/checkpoint/safetensors.js";
import { CELL_NAMES } from "#src/config/cells.js";
import {
  type CharnnError,
  listCheckpoints,
  loadCheckpoint,
  type TrainSettings,
} from "#src/index.js";
import { failsWith } from "../helpers/failure.js";
import { caseSeed, Draw } from "../helpers/numbers.js";
import { decodeSafetensors } from "../helpers/safetensors.js";
import { slow } from "../helpers/slow.js";
import { smallRun, trained, workplace } from "../helpers/training.js";

type Metadata = Map<string, string>;
type Tensors = Map<string, NamedTensor>;

/** What the checksum of earlier files covers before the tensors, in this order. */
const COVERED = ["format", "config", "vocabulary", "progress", "random"];

/** Of a version whose checksum did not cover the header. */
const EARLIER = fileURLToPath(
  new URL("../../test/fixtures/earlier-checkpoint.safetensors", import.meta.url),
);

for (const cell of CELL_NAMES) {
  test(`A checkpoint of a ${cell} is read as it was written`, async (t) => {
    const { file, folder } = await savedRun(t, { cell, layers: 2 });
    const checkpoint = await readCheckpoint(file);
    const copy = path.join(folder, "copy.safetensors");
    await writeCheckpoint(copy, checkpoint);
    assertSame(await readCheckpoint(copy), checkpoint);
    assert.ok((await readFile(copy)).equals(await readFile(file)));
  });
}

test("A checkpoint can be described without reading its tensors", async (t) => {
  const { file } = await savedRun(t);
  const { config, vocabulary, progress } = await readCheckpoint(file);
  const facts = await readCheckpointFacts(file);
  assert.deepEqual(Object.keys(facts).sort(), ["config", "progress", "vocabulary"]);
  assert.deepEqual([facts.config, facts.progress], [config, progress]);
  assert.deepEqual(facts.vocabulary.toJSON(), vocabulary.toJSON());
});

test("A checkpoint has the metadata of its format, each value JSON", async (t) => {
  const { file } = await savedRun(t, { randomSeed: 17 });
  const { metadata } = decodeSafetensors(await readFile(file));
  const values = new Map([...metadata].map(([key, value]) => [key, JSON.parse(value)]));
  assert.deepEqual([...values.keys()], [...COVERED, "checksum"]);
  assert.equal(values.get("format"), "charnn-1");
  assert.deepEqual(values.get("random"), { generator: "philox4x32-10", seed: 17 });
  assert.match(values.get("checksum"), /^[0-9a-f]{64}$/);
  assert.equal(values.get("progress").step, 3);
  assert.equal(values.get("config").model.hiddenSize, 8);
  assert.ok(values.get("vocabulary").includes("\n"));
});

test("A checkpoint does not record where, when or by whom it was made", async (t) => {
  const { file, folder, text } = await savedRun(t, { name: "unmistakable" });
  const header = (await readFile(file)).toString("latin1");
  const today = new Date().toISOString().slice(0, 10);
  for (const name of [folder, text, "unmistakable", today]) assert.ok(!header.includes(name), name);
  assert.doesNotMatch(header, /seconds|charsPerSecond|backend|threads/);
});

test("A checkpoint that is not there is not found", async (t) => {
  const { folder } = await savedRun(t);
  const missing = path.join(folder, "none.safetensors");
  await assert.rejects(readCheckpoint(missing), failsWith("NOT_FOUND", missing));
  await assert.rejects(readCheckpointFacts(missing), failsWith("NOT_FOUND", missing));
});

test("A checkpoint is loaded by its run's name, its folder, its file, or as the newest", async (t) => {
  const { file, folder, out } = await savedRun(t);
  const best = path.join(folder, "best.safetensors");
  assert.equal((await loadCheckpoint("run", { out })).path, best);
  assert.equal((await loadCheckpoint(folder)).path, best);
  assert.equal((await loadCheckpoint(undefined, { out })).path, best);
  assertSame(await loadCheckpoint(file), await readCheckpoint(file));
});

test("A checkpoint that is damaged does not hide the other runs", async (t) => {
  const { file, folder, out } = await savedRun(t);
  const damaged = path.join(out, "damaged");
  await mkdir(damaged);
  await writeFile(path.join(damaged, "last.safetensors"), (await readFile(file)).subarray(0, 99));
  const runs = await listCheckpoints({ out });
  assert.deepEqual(
    runs.map((run) => [run.path, run.progress.step]),
    [[folder, 3]],
  );
});

slow("A checkpoint is refused with any byte of its header changed", async (t) => {
  const seed = caseSeed();
  t.diagnostic(`CHARNN_TEST_SEED=${seed}`);
  const draw = new Draw(seed);
  const { file } = await savedRun(t);
  const headerEnd = 8 + Number((await readFile(file)).readBigUInt64LE());
  for (let position = 0; position < headerEnd; position++) {
    await assertChangeRefused(file, position, draw.pick([1, 2, 0x20, 0x80, 1 + draw.below(255)]));
  }
});

slow("A checkpoint is refused with any byte of its tensors changed", async (t) => {
  const seed = caseSeed();
  t.diagnostic(`CHARNN_TEST_SEED=${seed}`);
  const draw = new Draw(seed);
  const { file } = await savedRun(t);
  const bytes = await readFile(file);
  const { tensors, dataStart } = decodeHeader(bytes, bytes.length);
  for (const { start, end } of tensors.values()) {
    const within = Array.from({ length: 20 }, () => start + draw.below(end - start));
    for (const offset of [start, ...within, end - 1]) {
      await assertChangeRefused(file, dataStart + offset, 1 << draw.below(8));
    }
  }
});

test("A checkpoint is refused cut short anywhere, or with something after its end", async (t) => {
  const { file } = await savedRun(t);
  const bytes = await readFile(file);
  const dataStart = 8 + Number(bytes.readBigUInt64LE());
  const lengths = [0, 1, 7, 8, 9, dataStart - 1, dataStart, dataStart + 1, bytes.length - 1];
  for (let length = 50; length < bytes.length; length += 311) lengths.push(length);
  for (const length of lengths.toSorted((a, b) => b - a)) {
    await truncate(file, length);
    await assert.rejects(readCheckpoint(file), failsWith("BAD_CHECKPOINT", file), `${length}`);
    await assert.rejects(readCheckpointFacts(file), failsWith("BAD_CHECKPOINT", file));
  }
  await writeFile(file, Buffer.concat([bytes, Buffer.of(0)]));
  await assert.rejects(readCheckpoint(file), failsWith("BAD_CHECKPOINT", file));
});

test("A checkpoint is refused when it is another kind of file", async (t) => {
  const { file } = await savedRun(t);
  const other = encodeSafetensors([], new Map([["format", '"pt"']]));
  for (const content of ["", "thou art more lovely\n".repeat(9), other.header]) {
    await writeFile(file, content);
    await assert.rejects(readCheckpoint(file), failsWith("BAD_CHECKPOINT", file));
    await assert.rejects(readCheckpointFacts(file), failsWith("BAD_CHECKPOINT", file));
  }
});

const changes: Readonly<
  Record<string, { change: (metadata: Metadata, tensors: Tensors) => void; says: string }>
> = {
  "of another format": {
    change: (metadata) => metadata.set("format", '"charnn-2"'),
    says: "charnn-1",
  },
  "without a configuration": {
    change: (metadata) => metadata.delete("config"),
    says: "config",
  },
  "with a configuration that is not JSON": {
    change: (metadata) => metadata.set("config", "{"),
    says: "config",
  },
  "with a size that can't be": {
    change: (metadata) => editJson(metadata, "config", (test) => test.model, { hiddenSize: 0 }),
    says: "model.hiddenSize",
  },
  "with a setting that it does not know": {
    change: (metadata) => editJson(metadata, "config", (test) => test.training, { magic: 1 }),
    says: "training.magic",
  },
  "with a place in the text that can't be": {
    change: (metadata) => editJson(metadata, "progress", (test) => test, { batch: -1 }),
    says: "batch",
  },
  "with the shape of another model": {
    change: (metadata) => editJson(metadata, "config", (test) => test.model, { hiddenSize: 9 }),
    says: "rnn.weight_ih_l0",
  },
  "with a vocabulary of another size": {
    change: (metadata) => {
      const characters = JSON.parse(metadata.get("vocabulary") as string);
      metadata.set("vocabulary", JSON.stringify([...characters, "€"]));
    },
    says: "vocabulary",
  },
  "with a vocabulary out of order": {
    change: (metadata) => {
      const characters = JSON.parse(metadata.get("vocabulary") as string);
      metadata.set("vocabulary", JSON.stringify(characters.toReversed()));
    },
    says: "vocabulary",
  },
  "without one of its weights": {
    change: (_, tensors) => tensors.delete("rnn.bias_hh_l0"),
    says: "rnn.bias_hh_l0 is missing",
  },
  "without one of its moments": {
    change: (_, tensors) => tensors.delete("optimizer.decoder.bias.v"),
    says: "optimizer.decoder.bias.v is missing",
  },
  "without its state": {
    change: (_, tensors) => tensors.delete("state.l0"),
    says: "state.l0 is missing",
  },
  "with a tensor too many": {
    change: (_, tensors) =>
      tensors.set("rnn.bias_hh_l1", {
        ...(tensors.get("rnn.bias_hh_l0") as NamedTensor),
        name: "rnn.bias_hh_l1",
      }),
    says: "rnn.bias_hh_l1",
  },
  "with a tensor of another shape": {
    change: (_, tensors) => {
      const bias = tensors.get("rnn.bias_hh_l0") as NamedTensor;
      tensors.set(bias.name, { ...bias, shape: [8, 3] });
    },
    says: "rnn.bias_hh_l0 should be F32 [24]",
  },
  "with the state of more lanes than there are": {
    change: (_, tensors) => {
      const data = new Float32Array(5 * 8);
      tensors.set("state.l0", { name: "state.l0", shape: [5, 8], data });
    },
    says: "state.l0 should be F32 [4, 8]",
  },
  "with a number that is not one": {
    change: (_, tensors) => {
      (tensors.get("decoder.bias") as NamedTensor).data[1] = Number.NaN;
    },
    says: "decoder.bias",
  },
  "with a number that is infinite": {
    change: (_, tensors) => {
      (tensors.get("optimizer.decoder.bias.m") as NamedTensor).data[1] = Number.POSITIVE_INFINITY;
    },
    says: "optimizer.decoder.bias.m",
  },
};
for (const [title, { change, says }] of Object.entries(changes)) {
  test(title, async (t) => {
    const { file } = await savedRun(t);
    await rewrite(file, () => {});
    await readCheckpoint(file);
    await rewrite(file, change);
    await assert.rejects(readCheckpoint(file), failsWith("BAD_CHECKPOINT", file, says));
  });
}

test("The checksum of a checkpoint is the SHA-256 of the file with zeros in place of its digits", async (t) => {
  const { file } = await savedRun(t);
  const bytes = await readFile(file);
  const digits = bytes.indexOf('"checksum":"\\"') + 14;
  const checksum = bytes.toString("latin1", digits, digits + 64);
  bytes.fill("0", digits, digits + 64);
  assert.equal(createHash("sha256").update(bytes).digest("hex"), checksum);
});

const swaps: Readonly<Record<string, (header: string) => string>> = {
  "two names of one shape": (header) => swapped(header, "rnn.bias_ih_l0", "rnn.bias_hh_l0"),
  "two moments": (header) =>
    swapped(header, "optimizer.decoder.bias.m", "optimizer.decoder.bias.v"),
  "the offsets of two tensors": (header) => {
    const [first, second] = ["rnn.bias_ih_l0", "rnn.bias_hh_l0"].map(
      (name) => new RegExp(`"${name}":.*?"data_offsets":\\[(.*?)\\]`).exec(header)?.[1] as string,
    );
    return swapped(header, `[${first}]`, `[${second}]`);
  },
  "an element type": (header) => header.replace('"dtype":"F32"', '"dtype":"I32"'),
  "a shape and its transpose": (header) => header.replace(/"shape":\[24,8\]/, '"shape":[8,24]'),
  "the order of the header": (header) =>
    header.replace(/("rnn\.bias_ih_l0":\{.*?\}),("rnn\.bias_hh_l0":\{.*?\})/, "$2,$1"),
  "a name that nothing reads": (header) => header.replace("philox4x32-10", "philox4x32-11"),
  "a space": (header) => header.replace(/ $/, "\n"),
};
for (const [title, change] of Object.entries(swaps)) {
  test(`The checksum of a checkpoint does not let ${title} pass`, async (t) => {
    const { file } = await savedRun(t);
    const changed = withHeader(await readFile(file), change);
    assert.ok(!changed.equals(await readFile(file)));
    await writeFile(file, changed);
    await assert.rejects(readCheckpoint(file), failsWith("BAD_CHECKPOINT", file));
  });
}

test("The checksum of a checkpoint is verified in files of earlier versions, where two swapped names are noticed", async (t) => {
  const earlier = await readFile(EARLIER);
  const { progress, tensors } = await readCheckpoint(EARLIER);
  assert.equal(progress.step, 3);
  assert.equal(tensors.get("decoder.bias")?.data.length, 11);
  const { out } = await workplace(t);
  await mkdir(out);
  const file = path.join(out, "earlier.safetensors");
  for (const names of [
    ["rnn.bias_ih_l0", "rnn.bias_hh_l0"],
    ["optimizer.decoder.bias.m", "optimizer.decoder.bias.v"],
  ]) {
    await writeFile(
      file,
      withHeader(earlier, (header) => swapped(header, names[0], names[1])),
    );
    await assert.rejects(readCheckpoint(file), failsWith("BAD_CHECKPOINT", file, "checksum"));
  }
});

test("The checksum of a checkpoint covers the one change of the number of steps that earlier versions kept without a list", async (t) => {
  const { out } = await workplace(t);
  await mkdir(out);
  const file = path.join(out, "earlier.safetensors");
  await writeFile(file, await readFile(EARLIER));
  await rewrite(file, (metadata) => {
    editJson(metadata, "progress", (it) => it, { replan: { step: 2, totalSteps: 9 } });
    editJson(metadata, "config", (it) => it.limits, { replan: { step: 2, steps: 3 } });
  });
  const { progress, config } = await readCheckpoint(file);
  assert.deepEqual(progress.replan, [{ step: 2, totalSteps: 9 }]);
  assert.deepEqual(config.limits.replan, [{ step: 2, steps: 3 }]);
});

test("The checksum of a checkpoint is written in the present form when a file of an earlier version is resumed", async (t) => {
  const { out } = await workplace(t);
  const run = path.join(out, "run");
  await mkdir(run, { recursive: true });
  await writeFile(path.join(run, "last.safetensors"), await readFile(EARLIER));
  const text = fileURLToPath(
    new URL("../../test/fixtures/earlier-checkpoint.txt", import.meta.url),
  );
  await trained({ files: [text], out, name: "run", resume: true, steps: 5, backend: "wasm" });
  const { progress } = await readCheckpoint(path.join(run, "last.safetensors"));
  assert.equal(progress.step, 5);
});

for (const bytes of [1, 7, 4_096, 1e9]) {
  test(`Reading a checkpoint in pieces of ${bytes} bytes gives the same checkpoint`, async (t) => {
    const { file } = await savedRun(t, { hiddenSize: 4 });
    assertSame(await readCheckpoint(file, { pieceBytes: bytes }), await readCheckpoint(file));
  });
}

test("Reading a checkpoint in pieces takes no memory for a file whose tensors are not those of its model", async (t) => {
  const { file } = await savedRun(t);
  await rewrite(file, (metadata) =>
    editJson(metadata, "config", (it) => it.model, { hiddenSize: 65_536 }),
  );
  const before = process.memoryUsage().rss;
  await assert.rejects(readCheckpoint(file), failsWith("BAD_CHECKPOINT", file));
  assert.ok(process.memoryUsage().rss - before < 5e7);
});

test("Reading a checkpoint in pieces refuses a file larger than the machine's memory before it reads it", async (t) => {
  const { file } = await savedRun(t);
  const { model, training } = (await readCheckpointFacts(file)).config;
  const hiddenSize = 65_536;
  const bytes = await readFile(file);
  const config = { ...(await readCheckpointFacts(file)).config, model: { ...model, hiddenSize } };
  let end = 0;
  const members = [...tensorShapes({ ...config, training })].map(([name, shape]) => {
    const start = end;
    end += 4 * shape.reduce((product, size) => product * size, 1);
    return `"${name}":${JSON.stringify({ dtype: "F32", shape, data_offsets: [start, end] })}`;
  });
  const { metadata } = decodeSafetensors(bytes);
  const entries = Object.fromEntries([...metadata, ["config", JSON.stringify(config)]]);
  const header = Buffer.from(`{"__metadata__":${JSON.stringify(entries)},${members.join()}}`);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  await writeFile(file, Buffer.concat([length, header]));
  // A file that is nearly all hole takes no room on the disk.
  await truncate(file, 8 + header.length + end);
  if (end < totalmem()) return t.skip("this machine has the memory");
  await assert.rejects(readCheckpoint(file), failsWith("BAD_CHECKPOINT", file, "GB"));
});

/** A file with another header of the same length. */
function withHeader(file: Buffer, change: (header: string) => string): Buffer {
  const end = 8 + Number(file.readBigUInt64LE());
  const header = change(file.toString("utf8", 8, end));
  return Buffer.concat([file.subarray(0, 8), Buffer.from(header), file.subarray(end)]);
}

/** A text in which two words have each other's places. */
function swapped(text: string, first: string, second: string): string {
  const words = new Map([
    [first, second],
    [second, first],
  ]);
  const parts = text.split(first).map((part) => part.split(second).join(words.get(second)));
  return parts.join(words.get(first));
}

/** A run of three steps. */
async function savedRun(t: TestContext, settings: Partial<TrainSettings> = {}) {
  const place = await workplace(t);
  const name = settings.name ?? "run";
  await trained(smallRun(place, { steps: 3, embeddingSize: 0, ...settings }));
  const folder = path.join(place.out, name);
  return { file: path.join(folder, "last.safetensors"), folder, ...place };
}

function assertSame(actual: Checkpoint, expected: Checkpoint): void {
  assert.deepEqual(actual.config, expected.config);
  assert.deepEqual(actual.progress, expected.progress);
  assert.deepEqual(actual.vocabulary.toJSON(), expected.vocabulary.toJSON());
  const plain = ({ tensors }: Checkpoint) =>
    [...tensors.values()].map(({ name, shape, data }) => ({ name, shape, data }));
  assert.deepEqual(plain(actual), plain(expected));
}

/** Changes bits of one byte for a moment. */
async function assertChangeRefused(file: string, position: number, bits: number): Promise<void> {
  const handle = await open(file, "r+");
  try {
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, position);
    byte[0] ^= bits;
    await handle.write(byte, 0, 1, position);
    const outcome = await readCheckpoint(file).catch((error: CharnnError) => error);
    const change = `byte ${position} changed by ${bits}`;
    assert.ok(outcome instanceof Error, `${change} is accepted`);
    assert.equal(outcome.code, "BAD_CHECKPOINT", `${change}: ${outcome.stack}`);
    assert.ok(outcome.message.includes(file), outcome.message);
    byte[0] ^= bits;
    await handle.write(byte, 0, 1, position);
  } finally {
    await handle.close();
  }
}

/** Writes a checkpoint again with something else in it, and a checksum that fits, as earlier files have it. */
async function rewrite(
  file: string,
  change: (metadata: Metadata, tensors: Tensors) => void,
): Promise<void> {
  const decoded = decodeSafetensors(await readFile(file));
  const metadata = new Map(decoded.metadata);
  const tensors = new Map(
    [...decoded.tensors].map(([name, { shape, data }]) => [
      name,
      { name, shape, data: data.slice() },
    ]),
  );
  change(metadata, tensors);
  const hash = createHash("sha256");
  for (const key of COVERED) hash.update(metadata.get(key) ?? "");
  for (const { data } of tensors.values()) hash.update(new Uint8Array(data.buffer));
  metadata.set("checksum", JSON.stringify(hash.digest("hex")));
  const { header, data } = encodeSafetensors(tensors.values(), metadata);
  await writeFile(file, Buffer.concat([header, ...data]));
}

/** Puts other values into an object in the metadata. */
function editJson(
  metadata: Metadata,
  key: string,
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
  at: (value: any) => object,
  values: object,
): void {
  const value: unknown = JSON.parse(metadata.get(key) as string);
  Object.assign(at(value), values);
  metadata.set(key, JSON.stringify(value));
}
