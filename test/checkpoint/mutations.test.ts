/** Damaged and hostile checkpoints: refused by a CharnnError in a moment, or read for what they say. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readCheckpoint, readCheckpointFacts } from "#src/checkpoint/checkpoint.js";
import { failsWith } from "../helpers/failure.js";
import { temporaryFolder } from "../helpers/folder.js";
import { damaged, forged, originalOf, partsOf, sealed, withValue } from "../helpers/mutations.js";
import { caseSeed, Draw } from "../helpers/numbers.js";
import { assertReadAsWritten, readOrRefused, valuesOf } from "../helpers/read-mutation.js";
import { slow } from "../helpers/slow.js";
import { smallRun, trained, workplace } from "../helpers/training.js";

const EARLIER = fileURLToPath(
  new URL("../../test/fixtures/earlier-checkpoint.safetensors", import.meta.url),
);

async function smallCheckpoint(t: TestContext) {
  const place = await workplace(t);
  await trained(smallRun(place, { hiddenSize: 2, embeddingSize: 0, batchSize: 2, steps: 2 }));
  return readFile(path.join(place.out, "run", "last.safetensors"));
}

for (const kind of ["of today", "of earlier"]) {
  test(`A checkpoint of which bytes were changed is refused, or is the same: one ${kind}`, async (t) => {
    const seed = caseSeed();
    t.diagnostic(`CHARNN_TEST_SEED=${seed}`);
    const draw = new Draw(seed);
    const file = path.join(await temporaryFolder(t), "mutated.safetensors");
    const originals = [await smallCheckpoint(t), await readFile(EARLIER)];
    const values = new Map<Buffer, object>();
    for (const original of originals) {
      const whole = await readOrRefused(file, original);
      assert.ok(whole);
      values.set(original, valuesOf(whole));
    }
    const bytes = originals[kind === "of today" ? 0 : 1];
    for (let time = 0; time < 400; time++) {
      const mutation = damaged(draw, bytes, draw.pick(originals));
      const read = await readOrRefused(file, mutation.bytes);
      if (!read) continue;
      const original = originalOf(mutation.bytes, bytes, originals);
      assert.deepEqual(valuesOf(read), values.get(original), mutation.what);
    }
  });
}

slow(
  "A checkpoint that was made to do harm, with the right checksum, is refused, or read as its header says",
  async (t) => {
    const seed = caseSeed();
    t.diagnostic(`CHARNN_TEST_SEED=${seed}`);
    const draw = new Draw(seed);
    const file = path.join(await temporaryFolder(t), "hostile.safetensors");
    const parts = partsOf(await smallCheckpoint(t));
    assert.ok(await readOrRefused(file, sealed(parts)));
    for (let time = 0; time < 1_000; time++) {
      const { bytes } = forged(draw, parts);
      const read = await readOrRefused(file, bytes);
      if (read) assertReadAsWritten(read, bytes);
    }
  },
);

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const hostile: Readonly<Record<string, (header: string) => string>> = {
  "a list for the run's limits": (test) => test.replace(/(\\"limits\\":)\{[^}]*\}/, "$1[]"),
  "a name twice in its configuration": (test) =>
    test.replace('"config":"{', '"config":"{\\"limits\\":{\\"steps\\":9},'),
  "a name twice in its progress": (test) =>
    test.replace('"progress":"{', '"progress":"{\\"step\\":9,'),
  "lists in lists for a configuration": (test) => withValue(test, "config", nested(5_000)),
  "lists in lists for its progress": (test) => withValue(test, "progress", nested(5_000)),
  "lists in lists for a vocabulary": (test) => withValue(test, "vocabulary", nested(5_000)),
  "objects in objects": (test) =>
    withValue(test, "config", `${'{\\"model\\":'.repeat(4_000)}1${"}".repeat(4_000)}`),
  "200,000 values for a vocabulary": (test) =>
    withValue(test, "vocabulary", `[${"0,".repeat(200_000)}0]`),
  "a vocabulary of long strings": (test) =>
    withValue(test, "vocabulary", `[\\"${"a".repeat(1_000_000)}\\"]`),
  "100,000 settings": (test) =>
    withValue(test, "config", `{${Array.from({ length: 1e5 }, (_, k) => `\\"${k}\\":1`)}}`),
  "a setting whose name is long": (test) =>
    test.replace('"config":"{', `"config":"{\\"${"a".repeat(100_000)}\\":1,`),
  "20,000 tensors": (test) => {
    const entry = '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}';
    const entries = Array.from({ length: 20_000 }, (_, k) => `"${k}":${entry}`);
    return test.replace(/\} *$/, `,${entries}}`);
  },
  "a name of a million characters": (test) =>
    test.replace('"decoder.bias":', `"${"a".repeat(1_000_000)}":`),
  "a header of 16 MB": (test) => test.replace(/\} *$/, `,"a":${nested(8_000_000)}}`),
  "a header of 16 MB of members": (test) =>
    test.replace(/\} *$/, `,${Array.from({ length: 1.5e6 }, (_, k) => `"${k}":{}`)}}`),
};
for (const [title, change] of Object.entries(hostile)) {
  test(`A checkpoint that was made to do harm, with the right checksum, is refused for ${title}, at little cost`, async (t) => {
    const file = path.join(await temporaryFolder(t), "hostile.safetensors");
    const { header, data } = partsOf(await smallCheckpoint(t));
    await writeFile(file, sealed({ header: change(header), data }));
    const before = process.memoryUsage().rss;
    await assert.rejects(
      readCheckpointFacts(file).then(() => readCheckpoint(file)),
      (error) => {
        assert.ok((error as Error).message.length < 1_000);
        return failsWith("BAD_CHECKPOINT", file)(error);
      },
    );
    const grown = process.memoryUsage().rss - before;
    assert.ok(grown < 1e8, `${grown} bytes`);
  });
}
