/**
 * Reads mutated checkpoints, in a process that may crash or hang at any of them: it says each number before
 * it reads that one.
 *
 *     node mutation-reader.js FOLDER SEED FIRST END
 */

import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { sample } from "#src/index.js";
import { assertReadAsWritten, readOrRefused, valuesOf } from "../helpers/read-mutation.js";
import { type Case, mutationsIn } from "./mutation-cases.js";

/** What the reader says. */
export type Said = { readonly next: number } | { readonly wrong: string };

const MAX_KILOBYTES = 100_000;
const WARM_UP = 50;

const [folder, seed, first, end] = process.argv.slice(2);
const file = path.join(folder, `${process.pid}.safetensors`);
const cases = await mutationsIn(folder, Number(seed));

async function read({ bytes, original, isForged }: Case): Promise<string | undefined> {
  const checkpoint = await readOrRefused(file, bytes);
  if (!checkpoint) return undefined;
  if (isForged) {
    assertReadAsWritten(checkpoint, bytes);
    for await (const _ of sample(checkpoint, { length: 3 }));
    return undefined;
  }
  const expected = await readOrRefused(file, original);
  const isSame = expected && isDeepStrictEqual(valuesOf(checkpoint), valuesOf(expected));
  return isSame ? undefined : "it is read, with other values";
}

function say(said: Said): void {
  process.send?.(said);
}

for (let time = 0; time < WARM_UP; time++) {
  const { original } = cases(time);
  await read({ what: "", bytes: original, original, isForged: true });
}
const { maxRSS: before } = process.resourceUsage();
for (let number = Number(first); number < Number(end); number++) {
  say({ next: number });
  const wrong = await read(cases(number)).catch((error: Error) => `${error.stack}`);
  const grown = process.resourceUsage().maxRSS - before;
  if (wrong !== undefined) say({ wrong });
  if (grown < MAX_KILOBYTES) continue;
  say({ wrong: `memory has grown by ${grown} kB` });
  process.exit();
}
say({ next: Number(end) });
process.disconnect();
