import { documentNoun } from "../../data/documents.js";
import type { Candidate } from "../../sampling/candidates.js";
import type { Status } from "../terminal/status.js";
import type { Terminal } from "../terminal/terminal.js";

/** Characters of a text that are kept one by one. */
const PIECE = 1024;

type Texts = AsyncGenerator<readonly string[], void>;

/** Where texts are written, and the line that says until then what is done. */
export interface Output {
  readonly terminal: Terminal;
  readonly status: Status;
  /** What the texts continue. */
  readonly seed: string;
  /** The line between two texts; undefined where there is none. */
  readonly separator: string | undefined;
}

/** What stands between two texts by default: so that they could be read again as documents of this kind. */
export function separatorOf(documents: string | undefined): string | undefined {
  if (documents === "lines") return undefined;
  return documents === undefined || documentNoun(documents) !== "piece" ? "" : documents;
}

/** One text, each character as it comes. */
export async function writeStream(output: Output, texts: Texts): Promise<void> {
  const { terminal, status, seed } = output;
  // With the first character, which shows that the model can read the seed.
  let before = seed;
  let isBegun = false;
  try {
    for await (const [character] of texts) {
      status.stop();
      await terminal.out(before + character);
      before = "";
      isBegun = true;
    }
  } catch (error) {
    // What a terminal shows next, an error or the shell's prompt, begins a line.
    if (isBegun && terminal.outWidth !== undefined) await terminal.out("\n");
    throw error;
  }
  await terminal.out(`${before}\n`);
}

/** Several texts that are complete. */
export async function writeWhole(output: Output, texts: readonly string[]): Promise<void> {
  const { terminal, status, seed, separator } = output;
  const between = separator === undefined ? "" : `${separator}\n`;
  status.stop();
  for (const [k, text] of texts.entries()) {
    // Together they may be longer than a string can be.
    await terminal.out(`${k > 0 ? between : ""}${seed}${text}\n`);
  }
}

/** All candidates of each text, the likeliest first, each below its rank and its bits per character. */
export async function writeRanking(
  output: Output,
  chosen: readonly (readonly Candidate[])[],
): Promise<void> {
  const { terminal, status, seed } = output;
  status.stop();
  for (const [k, candidates] of chosen.entries()) {
    for (const [rank, { text, bitsPerCharacter }] of candidates.entries()) {
      const which = chosen.length > 1 ? `Text ${k + 1}, number ${rank + 1}` : `Number ${rank + 1}`;
      const bits = `${bitsPerCharacter.toFixed(3)} bits per character`;
      await terminal.out(`${k + rank > 0 ? "\n" : ""}${which}: ${bits}\n${seed}${text}\n`);
    }
  }
}

/** Collects texts to print them when they are complete. */
export async function collect(texts: Texts): Promise<string[]> {
  const whole: string[] = [];
  const latest: string[] = [];
  for await (const characters of texts) {
    for (const [k, character] of characters.entries()) {
      latest[k] = (latest[k] ?? "") + character;
      if (latest[k].length < PIECE) continue;
      whole[k] = (whole[k] ?? "") + flat(latest[k]);
      latest[k] = "";
    }
  }
  return latest.map((text, k) => (whole[k] ?? "") + text);
}

/** A text of many parts as one, which takes a tenth of the memory. */
function flat(text: string): string {
  return Buffer.from(text, "utf16le").toString("utf16le");
}
