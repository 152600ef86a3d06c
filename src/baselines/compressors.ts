import { spawn } from "node:child_process";
import type { NamedText } from "../data/texts.js";

export const COMPRESSORS = ["gzip", "xz", "bzip2"] as const;

/** Bits per character to which the system's compressors bring a text; undefined where one is missing. */
export type CompressedSizes = Record<(typeof COMPRESSORS)[number], number | undefined>;

/** Characters that are turned into bytes at a time. */
const CHUNK = 1 << 16;

/**
 * Compresses a text with the system's compressors, as hard as they can. They start knowing nothing, whereas a
 * trained model starts with all that it has learned.
 */
export async function compressedSizes(
  text: NamedText,
  signal?: AbortSignal,
): Promise<CompressedSizes> {
  const sizes = await Promise.all(
    COMPRESSORS.map(async (name) => {
      const bytes = await compressedBytes(name, text, signal);
      return [name, bytes && (8 * bytes) / text.numbers.length] as const;
    }),
  );
  return Object.fromEntries(sizes) as CompressedSizes;
}

/** How many bytes a program compresses a text to; undefined where it is missing or fails. */
function compressedBytes(
  program: string,
  text: NamedText,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  return new Promise((resolve) => {
    const child = spawn(program, ["-9", "-c"], { stdio: ["pipe", "pipe", "ignore"], signal });
    let bytes = 0;
    child.on("error", () => resolve(undefined));
    child.stdin.on("error", () => {});
    child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    child.on("close", (code) => resolve(code === 0 ? bytes : undefined));
    writeText(text, child.stdin);
  });
}

/** Writes a text as UTF-8, as fast as it is taken. */
function writeText({ numbers, codePoints }: NamedText, stream: NodeJS.WritableStream): void {
  const characters = codePoints.map((codePoint) => String.fromCodePoint(codePoint));
  let position = 0;
  const writeMore = () => {
    while (position < numbers.length) {
      let chunk = "";
      for (const number of numbers.subarray(position, position + CHUNK))
        chunk += characters[number];
      position += CHUNK;
      if (!stream.write(chunk)) {
        stream.once("drain", writeMore);
        return;
      }
    }
    stream.end();
  };
  writeMore();
}
