import assert from "node:assert/strict";
import { readCheckpoint, writeCheckpoint } from "#src/checkpoint/checkpoint.js";

/** Gives a model such a bias that it would write nothing but its unknown character if that could be written. */
export async function makeUnknownLikeliest(file: string): Promise<void> {
  const checkpoint = await readCheckpoint(file);
  const { unknown } = checkpoint.vocabulary;
  assert.ok(unknown !== undefined);
  const bias = checkpoint.tensors.get("decoder.bias");
  assert.ok(bias);
  bias.data[unknown] = 100;
  await writeCheckpoint(file, checkpoint);
}
