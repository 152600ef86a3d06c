import assert from "node:assert/strict";
import { open, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { readCheckpoint } from "#src/checkpoint/checkpoint.js";
import { CharnnError } from "#src/errors.js";
import { temporaryFolder } from "../helpers/folder.js";
import { smallRun, trained, workplace } from "../helpers/training.js";

test("a checkpoint with any one of its bits changed is refused", async (t) => {
  const place = await workplace(t);
  await trained(smallRun(place, { hiddenSize: 1, embeddingSize: 0, batchSize: 1, steps: 2 }));
  const bytes = await readFile(path.join(place.out, "run", "last.safetensors"));
  const file = path.join(await temporaryFolder(t), "flipped.safetensors");
  await writeFile(file, bytes);
  await readCheckpoint(file);
  const handle = await open(file, "r+");
  try {
    for (const [position, byte] of bytes.entries()) {
      for (let bit = 0; bit < 8; bit++) {
        await handle.write(Uint8Array.of(byte ^ (1 << bit)), 0, 1, position);
        const outcome: unknown = await readCheckpoint(file).catch((error: unknown) => error);
        const isRefused = outcome instanceof CharnnError && outcome.code === "BAD_CHECKPOINT";
        assert.ok(isRefused, `bit ${bit} of byte ${position}: ${outcome}`);
      }
      await handle.write(Uint8Array.of(byte), 0, 1, position);
    }
  } finally {
    await handle.close();
  }
});
