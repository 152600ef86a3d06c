/** Damaged and hostile checkpoints: refused by a CharnnError in a moment, or read for what they say. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import {
  type Checkpoint,
  readCheckpoint,
  readCheckpointFacts,
} from "#src/checkpoint/checkpoint.js";
import { checksumDigits, checksumOf } from "#src/checkpoint/checksum.js";
import { CharnnError } from "#src/errors.js";
import { failsWith } from "../helpers/failure.js";
import { temporaryFolder } from "../helpers/folder.js";
import { caseSeed } from "../helpers/numbers.js";
import { smallRun, trained, workplace } from "../helpers/training.js";

const EARLIER = fileURLToPath(
  new URL("../../test/fixtures/earlier-checkpoint.safetensors", import.meta.url),
);

/** Reads these bytes as a checkpoint; undefined where they are refused as they should be. */
async function readOrRefused(file: string, bytes: Uint8Array): Promise<Checkpoint | undefined> {
  await writeFile(file, bytes);
  const refused = (error: unknown) => {
    if (!(error instanceof CharnnError) || error.code !== "BAD_CHECKPOINT") throw error;
    assert.ok(error.message.length < 1_000, error.message);
    return undefined;
  };
  await readCheckpointFacts(file).catch(refused);
  return readCheckpoint(file).catch(refused);
}

/** A header of another text, whose checksum is right, and the data. */
function sealed(header: string, data: Uint8Array): Buffer {
  const text = Buffer.from(header);
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(text.length));
  const bytes = Buffer.concat([start, text, data]);
  const digits = checksumDigits(bytes.subarray(0, 8 + text.length));
  digits?.fill("0".charCodeAt(0));
  digits?.set(Buffer.from(checksumOf([bytes])).subarray(0, digits.length));
  return bytes;
}

async function smallCheckpoint(t: TestContext) {
  const place = await workplace(t);
  await trained(smallRun(place, { hiddenSize: 2, embeddingSize: 0, batchSize: 2, steps: 2 }));
  const bytes = await readFile(path.join(place.out, "run", "last.safetensors"));
  const end = 8 + Number(bytes.readBigUInt64LE());
  return { bytes, header: bytes.toString("utf8", 8, end), data: bytes.subarray(end) };
}

describe("A checkpoint of which bytes were changed", () => {
  for (const kind of ["of today", "of earlier"]) {
    it(`is refused, or is the same: one ${kind}`, async (t) => {
      const seed = caseSeed();
      t.diagnostic(`CHARNN_TEST_SEED=${seed}`);
      const file = path.join(await temporaryFolder(t), "mutated.safetensors");
      const bytes =
        kind === "of today" ? (await smallCheckpoint(t)).bytes : await readFile(EARLIER);
      const whole = await readOrRefused(file, bytes);
      assert.ok(whole);
      const plain = ({ config, progress, tensors }: Checkpoint) => [config, progress, [...tensors]];
      const edit = fc.record({
        // Most of what can go wrong is in the header.
        at: fc.oneof(fc.nat(bytes.length - 1), fc.nat(3_000)),
        removed: fc.nat(9),
        added: fc.uint8Array({ maxLength: 9 }),
      });
      const edits = fc.array(edit, { minLength: 1, maxLength: 3 });
      await fc.assert(
        fc.asyncProperty(edits, async (list) => {
          let mutated = bytes;
          for (const { at, removed, added } of list) {
            mutated = Buffer.concat([
              mutated.subarray(0, at),
              added,
              mutated.subarray(at + removed),
            ]);
          }
          const read = await readOrRefused(file, mutated);
          if (read) assert.deepEqual(plain(read), plain(whole));
        }),
        { seed, numRuns: 400 },
      );
    });
  }
});

describe("A checkpoint that was made to do harm, with the right checksum,", () => {
  it("is refused or read, whatever its header says", async (t) => {
    const seed = caseSeed();
    t.diagnostic(`CHARNN_TEST_SEED=${seed}`);
    const file = path.join(await temporaryFolder(t), "hostile.safetensors");
    const { header, data } = await smallCheckpoint(t);
    assert.ok(await readOrRefused(file, sealed(header, data)));
    const values = fc.constantFrom(
      ...[
        "0",
        "-1",
        "1e999",
        "9007199254740993",
        "null",
        "[]",
        "{}",
        "true",
        '\\"\\"',
        '"',
        "\\",
        ":",
      ],
      ...[
        "65536",
        "1e308",
        "-0",
        "0.5",
        "[[[[[[[[[[",
        "\\u0000",
        "\\ud800",
        "__proto__",
        "F64",
        ",",
      ],
    );
    const places = [...header.matchAll(/\d+(\.\d+)?|\w+|[[\]{}:,"\\]/g)].map(
      ({ index, 0: { length } }) => ({ index, length }),
    );
    const edits = fc.array(fc.tuple(fc.constantFrom(...places), values), {
      minLength: 1,
      maxLength: 2,
    });
    await fc.assert(
      fc.asyncProperty(edits, async (list) => {
        let changed = header;
        for (const [{ index, length }, value] of list) {
          changed = changed.slice(0, index) + value + changed.slice(index + length);
        }
        await readOrRefused(file, sealed(changed, data));
      }),
      { seed, numRuns: 1_000 },
    );
  });

  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  const hostile: Readonly<Record<string, (header: string) => string>> = {
    "lists in lists for a configuration": (it) => withValue(it, "config", nested(5_000)),
    "lists in lists for its progress": (it) => withValue(it, "progress", nested(5_000)),
    "lists in lists for a vocabulary": (it) => withValue(it, "vocabulary", nested(5_000)),
    "objects in objects": (it) =>
      withValue(it, "config", `${'{\\"model\\":'.repeat(4_000)}1${"}".repeat(4_000)}`),
    "200,000 values for a vocabulary": (it) =>
      withValue(it, "vocabulary", `[${"0,".repeat(200_000)}0]`),
    "a vocabulary of long strings": (it) =>
      withValue(it, "vocabulary", `[\\"${"a".repeat(1_000_000)}\\"]`),
    "100,000 settings": (it) =>
      withValue(it, "config", `{${Array.from({ length: 1e5 }, (_, k) => `\\"${k}\\":1`)}}`),
    "20,000 tensors": (it) => {
      const entry = '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}';
      const entries = Array.from({ length: 20_000 }, (_, k) => `"${k}":${entry}`);
      return it.replace(/\} *$/, `,${entries}}`);
    },
    "a name of a million characters": (it) =>
      it.replace('"decoder.bias":', `"${"a".repeat(1_000_000)}":`),
    "a header of 16 MB": (it) => it.replace(/\} *$/, `,"a":${nested(8_000_000)}}`),
    "a header of 16 MB of members": (it) =>
      it.replace(/\} *$/, `,${Array.from({ length: 1.5e6 }, (_, k) => `"${k}":{}`)}}`),
  };
  for (const [title, change] of Object.entries(hostile)) {
    it(`is refused for ${title}, at little cost`, async (t) => {
      const file = path.join(await temporaryFolder(t), "hostile.safetensors");
      const { header, data } = await smallCheckpoint(t);
      await writeFile(file, sealed(change(header), data));
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
});

/** A header with another value of its metadata, as it stands in there. */
function withValue(header: string, key: string, value: string): string {
  return header.replace(new RegExp(`("${key}":)"(?:[^"\\\\]|\\\\.)*"`), `$1"${value}"`);
}
