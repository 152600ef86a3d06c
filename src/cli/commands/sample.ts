import { getHeapStatistics } from "node:v8";
import type { Command } from "commander";
import type { Checkpoint } from "../../checkpoint/checkpoint.js";
import { MAX_TEXTS } from "../../config/names.js";
import {
  SAMPLE_DEFAULTS as DEFAULTS,
  SAMPLE,
  type SampleCommandSettings,
  type SampleSettings,
} from "../../config/sample.js";
import { CharnnError } from "../../errors.js";
import { memoryLeft, memorySize } from "../../memory.js";
import { formatCount } from "../../text.js";
import type { CommandContext } from "../context.js";
import { addOptions, RUN_ARGUMENT } from "../options/add-options.js";
import { createStatus, type Status } from "../terminal/status.js";
import type { Terminal } from "../terminal/terminal.js";
import { warnIfUntrained } from "../untrained.js";

export function sampleCommand(program: Command, context: CommandContext): void {
  const { terminal, interruption } = context;
  const command = program
    .command("sample")
    .summary("Write text")
    .description("Write text with a trained model.")
    .argument("[run]", RUN_ARGUMENT);
  addOptions(command, SAMPLE, [
    'charnn sample --seed "Once upon"',
    'charnn sample --seed "i love" -n 200',
    "charnn sample shakespeare-gru-1x256 -t 0.5 --count 3",
    "charnn sample checkpoints/night/last.safetensors -n -1 | head -n 40",
    `charnn sample --seed "KING:" --stop $'\\n\\n' --random-seed 7`,
    "charnn sample night --max-copy 30 --training-text book.txt",
  ]).action(async (run: string | undefined, options: SampleCommandSettings) => {
    const { seedFile, greedy, out, json, ...given } = options;
    if (greedy && (given.temperature ?? 0) !== 0) {
      throw new CharnnError(
        "INVALID_SETTING",
        `--greedy means --temperature 0, which contradicts --temperature ${given.temperature}.`,
        "Leave one of them out.",
      );
    }
    if (seedFile !== undefined && given.seed !== undefined) {
      throw new CharnnError(
        "INVALID_SETTING",
        "--seed and --seed-file both give the text to continue.",
        "Leave one of them out.",
      );
    }
    const { loadCheckpoint } = await import("../../runs/load-checkpoint.js");
    const { sample } = await import("../../sampling/sample.js");
    const { signal } = interruption;
    const checkpoint = await loadCheckpoint(run, { out, signal, tensors: "weights" });
    await warnIfUntrained(terminal, checkpoint);
    const seed =
      seedFile === undefined
        ? given.seed
        : await readSeed(seedFile, given, checkpoint, terminal, signal);
    hintAtRandomSeed(given.seed, terminal);
    const settings = { ...given, out, seed, ...(greedy && { temperature: 0 }) };
    const isGathered = json || (settings.count ?? 1) > 1;
    if (isGathered) {
      refuseEndless(settings, checkpoint);
      refuseTooMuch(settings);
    }
    const status = createStatus(context);
    if (given.maxCopy !== undefined) status.show("Reading the training text");
    else if (isGathered) status.show("Writing");
    try {
      const texts = sample(checkpoint, settings, {
        stdin: process.stdin,
        onWarning: status.warn,
        signal,
      });
      const write = json ? writeJson : isGathered ? writeWhole : writeStream;
      await write({ terminal, status }, texts, seed ?? "");
    } finally {
      status.stop();
    }
  });
}

/** Characters of a text that are kept one by one. */
const PIECE = 1024;
const BYTES_PER_CHARACTER = 2;
/** The longest seed in a file, in characters: a model needs minutes to read it. */
const MAX_SEED_LENGTH = 10_000_000;
/**
 * The share of the memory for strings that texts may take: each piece exists twice for a moment, and other work
 * needs some.
 */
const HEAP_SHARE = 0.4;
/** A string of JavaScript can't be longer than 2 ** 29, and JSON may double a text. */
const MAX_TEXT_LENGTH = 2 ** 27;

type Texts = AsyncGenerator<readonly string[], void>;

/** Where texts are written, and the status line that is shown until then. */
interface Output {
  readonly terminal: Terminal;
  readonly status: Status;
}

/** One text, each character as it comes. */
async function writeStream(
  { terminal, status }: Output,
  texts: Texts,
  seed: string,
): Promise<void> {
  // With the first character, which shows that the model can read the seed.
  let before = seed;
  for await (const [character] of texts) {
    status.stop();
    await terminal.out(before + character);
    before = "";
  }
  await terminal.out(`${before}\n`);
}

/** Several texts, each when all are done, with an empty line between two. */
async function writeWhole({ terminal, status }: Output, texts: Texts, seed: string): Promise<void> {
  const whole = await collect(texts);
  status.stop();
  for (const [k, text] of whole.entries()) {
    // Together they may be longer than a string can be.
    await terminal.out(`${k > 0 ? "\n" : ""}${seed}${text}\n`);
  }
}

async function writeJson({ terminal, status }: Output, texts: Texts, seed: string): Promise<void> {
  const whole = await collect(texts);
  status.stop();
  for (const text of whole) {
    await terminal.out(`${JSON.stringify({ seed, text })}\n`);
  }
}

async function collect(texts: Texts): Promise<string[]> {
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

/** The text of a file to go on from, with line ends as the model's text had them. */
async function readSeed(
  file: string,
  { encoding = DEFAULTS.encoding, invalid = DEFAULTS.invalid }: SampleCommandSettings,
  { config }: Checkpoint,
  { warn }: Terminal,
  signal: AbortSignal,
): Promise<string> {
  const { readOneFile } = await import("../../data/one-file.js");
  const { lineEnds } = config.text;
  const tooLong = () =>
    new CharnnError(
      "BAD_TEXT",
      `The seed has more than ${formatCount(MAX_SEED_LENGTH)} characters.`,
      // A character may be cut in two.
      "The model needs only its end: run tail -c 10000 FILE > NEWFILE, then give --seed-file NEWFILE --invalid skip.",
    );
  const { text, warnings } = await readOneFile(
    file,
    { encoding, invalid, lineEnds, most: MAX_SEED_LENGTH, tooLong },
    { stdin: process.stdin, signal },
  );
  for (const warning of warnings) warn(warning);
  return text;
}

/** Texts that are written when they are done have to fit into the memory that Node.js has for strings. */
function refuseTooMuch(settings: SampleSettings): void {
  const { length = DEFAULTS.length, count: texts = DEFAULTS.count } = settings;
  // Settings that no sample can have are refused where it is written.
  if (length === -1 || texts > MAX_TEXTS) return;
  const alone = "One text alone, without --json, may be of any length.";
  if (length > MAX_TEXT_LENGTH) {
    throw new CharnnError(
      "INVALID_SETTING",
      `With --count or --json a text has at most ${formatCount(MAX_TEXT_LENGTH)} characters, not ${formatCount(length)}.`,
      `Give --length ${MAX_TEXT_LENGTH} or less. ${alone}`,
    );
  }
  const { heap_size_limit: limit, used_heap_size: used } = getHeapStatistics();
  const left = (Math.min(limit - used, memoryLeft()) * HEAP_SHARE) / BYTES_PER_CHARACTER;
  const fittingCount = Math.floor(left / length);
  const fittingLength = Math.floor(left / texts);
  if (texts <= fittingCount && length <= fittingLength) return;
  const bytes = BYTES_PER_CHARACTER * length * texts;
  const fits = [
    ...(fittingCount > 0 ? [`--count ${fittingCount}`] : []),
    ...(fittingLength > 0 ? [`--length ${fittingLength}`] : []),
  ];
  throw new CharnnError(
    "INVALID_SETTING",
    `Texts of ${formatCount(length)} characters, ${formatCount(texts)} at a time, need ${memorySize(bytes)} of memory; there are ${memorySize(left * BYTES_PER_CHARACTER)}.`,
    `${fits.length > 0 ? `What fits: ${fits.join("; ")}. ` : ""}${alone}`,
  );
}

/** Texts that are written when they are done must come to an end. */
function refuseEndless({ length, stop }: SampleSettings, { config }: Checkpoint): void {
  if (length !== -1 || stop !== undefined || config.text.documents) return;
  throw new CharnnError(
    "INVALID_SETTING",
    "--length -1 never ends, but --count and --json print a text only once it is complete.",
    "Give a --length, or a text to end at with --stop.",
  );
}

/** In other programs `--seed` is a number for the random choices. */
function hintAtRandomSeed(seed: string | undefined, terminal: Terminal): void {
  if (seed === undefined || !/^\d+$/.test(seed)) return;
  terminal.say(
    `Note: --seed is the text to go on from; the seed of the random choices is --random-seed ${seed}.`,
  );
}
