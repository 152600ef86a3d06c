import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { damaged, forged, type Mutation, originalOf, partsOf } from "../helpers/mutations.js";
import { caseDraw } from "./campaign.js";

export interface Case extends Mutation {
  readonly original: Buffer;
  /** Whether the checksum is right. */
  readonly isForged: boolean;
}

/** The mutations of the checkpoints in a folder, by their number. */
export async function mutationsIn(folder: string, seed: number): Promise<(number: number) => Case> {
  const names = (await readdir(folder)).filter((name) => name.startsWith("original-")).sort();
  const originals = await Promise.all(names.map((name) => readFile(path.join(folder, name))));
  return (number) => {
    const draw = caseDraw(seed, number);
    const original = originals[number % originals.length];
    const isForged = draw.uniform() < 0.5;
    const mutation = isForged
      ? forged(draw, partsOf(original))
      : damaged(draw, original, draw.pick(originals));
    return { ...mutation, original: originalOf(mutation.bytes, original, originals), isForged };
  };
}
