/** Files other than checkpoints that are damaged, or made to do harm: read for what they say, or refused. */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { isDeepStrictEqual, TextDecoder } from "node:util";
import { readCommandLine } from "#src/cli/options/command-line.js";
import { createProgram } from "#src/cli/program.js";
import { Interruption } from "#src/cli/terminal/signals.js";
import type { Terminal } from "#src/cli/terminal/terminal.js";
import { loadCorpus } from "#src/data/corpus.js";
import { createDecoder, encodingName, type Invalid } from "#src/data/decoding.js";
import { CharnnError } from "#src/errors.js";
import { alone } from "#src/ranks/alone.js";
import { writeReport } from "#src/report/write-report.js";
import { lockRun } from "#src/runs/lock.js";
import { lastSeconds, truncateMetricsAfter } from "#src/runs/metrics.js";
import { MetricsReader, readMetrics } from "#src/runs/metrics-reader.js";
import { type RunFolder, runFolder } from "#src/runs/run-folder.js";
import { sentences } from "../helpers/executable.js";
import type { Draw } from "../helpers/numbers.js";
import {
  type Campaign,
  caseDraw,
  numbersTo,
  partOf,
  place,
  run,
  type Tally,
  TRAIN,
} from "./campaign.js";
import { mutatedFile } from "./file-mutations.js";

/** Reads one kind of file. */
interface Reader {
  readonly name: string;
  /** The files that are changed. */
  readonly originals: readonly Buffer[];
  /** How many of 1,000 cases are of this kind. */
  readonly share: number;
  /** Says what is wrong with how the bytes are read; a {@link CharnnError} refuses them. */
  read(bytes: Buffer, draw: Draw): Promise<string | undefined>;
}

const BRACE = 0x7d;
const LINE_END = 0x0a;
const MAX_MESSAGE_LENGTH = 2_000;
const MAX_MILLISECONDS = 10_000;

export async function mutatedFiles(campaign: Campaign, tally: Tally): Promise<void> {
  const { long, seed } = campaign;
  const readers = await readersOf(campaign);
  let number = 0;
  for (const { name, originals, share, read } of readers) {
    const count = (long ? 1_000 : 2) * share;
    const first = number;
    number += count;
    for (const index of partOf(campaign, numbersTo(count))) {
      const draw = caseDraw(seed, first + index - 1);
      const { what, bytes } = mutatedFile(draw, draw.pick(originals), draw.pick(originals));
      await tally.attempt(`seed ${seed}, ${name} number ${index} (${what})`, async () => {
        const start = performance.now();
        const wrong = await read(bytes, draw).catch(refusal);
        const milliseconds = performance.now() - start;
        return wrong ?? (milliseconds > MAX_MILLISECONDS ? `${milliseconds} ms` : undefined);
      });
    }
  }
}

/** What is wrong with an error; nothing with one that refuses a file in a few words. */
function refusal(error: unknown): string | undefined {
  if (!(error instanceof CharnnError)) return error instanceof Error ? error.stack : `${error}`;
  return error.message.length > MAX_MESSAGE_LENGTH ? `a long message: ${error.message}` : undefined;
}

async function readersOf(campaign: Campaign): Promise<Reader[]> {
  const folder = await place(campaign);
  const { code, stderr } = await run(folder, TRAIN);
  if (code !== 0) throw new Error(stderr);
  const out = path.join(folder, "checkpoints");
  const trained = await readFile(runFolder(out, "run").metrics);
  return [
    metricsReader(out, trained),
    resumedMetricsReader(out, trained),
    reportReader(out, trained),
    configReader(folder),
    decoderReader(),
    textReader(folder),
    await lockReader(out),
  ];
}

async function emptyRun(out: string, name: string): Promise<RunFolder> {
  const folder = runFolder(out, name);
  await mkdir(folder.path, { recursive: true });
  return folder;
}

/** What a run has reported, read as a whole and again while it grows. */
function metricsReader(out: string, trained: Buffer): Reader {
  return {
    name: "metrics",
    originals: [trained],
    share: 300,
    async read(bytes, draw) {
      const folder = await emptyRun(out, "metrics");
      await writeFile(folder.metrics, bytes);
      const seconds = await lastSeconds(folder.metrics);
      if (!Number.isFinite(seconds) || seconds < 0) return `the last line has ${seconds} seconds`;
      const whole = new MetricsReader(folder);
      await whole.read();
      const { steps, evaluations } = whole.metrics;
      for (const { step, epoch, seconds: at } of [...steps, ...evaluations]) {
        if (![step, epoch, at].every(Number.isFinite)) return `step ${step}, ${epoch}, ${at}`;
      }
      const growing = new MetricsReader(folder);
      let cut = draw.below(bytes.length + 1);
      // What is written grows by lines: none is whole before its end.
      while (bytes[cut - 1] === BRACE && bytes[cut] !== LINE_END) cut--;
      await writeFile(folder.metrics, bytes.subarray(0, cut));
      await growing.read();
      await writeFile(folder.metrics, bytes);
      await growing.read();
      // What is damaged when a line is cut is so for good.
      if (growing.isDamaged !== whole.isDamaged) return "damaged or not, by when it is read";
      return isDeepStrictEqual(growing.metrics, whole.metrics)
        ? undefined
        : "other metrics when they are read twice";
    },
  };
}

/** What a killed run has reported, cut off where it is resumed. */
function resumedMetricsReader(out: string, trained: Buffer): Reader {
  return {
    name: "metrics of a resumed run",
    originals: [trained],
    share: 200,
    async read(bytes, draw) {
      const { metrics } = await emptyRun(out, "resumed");
      await writeFile(metrics, bytes);
      const known = { step: draw.below(6), evaluatedAt: draw.below(6) };
      await truncateMetricsAfter(metrics, known);
      const left = await readFile(metrics);
      if (left.length > 0 && left.at(-1) !== LINE_END) return "its last line has no end";
      for (const line of left.toString().split("\n").filter(Boolean)) {
        const { event, step } = JSON.parse(line);
        const most = event === "step" || event === "run" ? known.step : known.evaluatedAt;
        if (typeof step === "number" && step > most) return line;
      }
      await truncateMetricsAfter(metrics, known);
      return left.equals(await readFile(metrics)) ? undefined : "cut off twice, it is another";
    },
  };
}

/** A page about what a run has reported. */
function reportReader(out: string, trained: Buffer): Reader {
  return {
    name: "report",
    originals: [trained],
    share: 20,
    async read(bytes) {
      const { metrics } = await emptyRun(out, "reported");
      await writeFile(metrics, bytes);
      await readMetrics("reported", out);
      const page = path.join(out, "page.html");
      await writeReport({ runs: ["reported"], out }, page);
      const html = await readFile(page, "utf8");
      return html.includes("</html>") ? undefined : "the page has no end";
    },
  };
}

/** Options in a file, up to where a command would use them. */
function configReader(folder: string): Reader {
  const file = path.join(folder, "options.json");
  return {
    name: "options",
    originals: CONFIGS.map((config) => Buffer.from(JSON.stringify(config, undefined, 1))),
    share: 200,
    async read(bytes) {
      await writeFile(file, bytes);
      const program = createProgram({
        terminal: SILENT,
        interruption: new Interruption(SILENT),
        exitWith: () => {},
        ranks: alone(),
      });
      const { args } = await readCommandLine(["train", "text.txt", "--config", file], program);
      const command = program.commands.find((it) => it.name() === "train");
      try {
        command?.exitOverride().parseOptions(args.slice(1));
      } catch (error) {
        // What commander refuses is an error of usage.
        if (!`${(error as { code?: string }).code}`.startsWith("commander.")) throw error;
      }
      return undefined;
    },
  };
}

const CONFIGS = [
  { "hidden-size": 256, "max-time": "10m", cell: "lstm", quiet: true, seed: 5, dropout: 0.1 },
  { hiddenSize: 8, steps: 5, "eval-every": null, schedule: "cosine", "weight-decay": "1e-3" },
];
const SILENT = {
  say() {},
  out: async () => {},
  outClosed: new AbortController().signal,
} as unknown as Terminal;

/** Bytes in every encoding, in chunks. */
function decoderReader(): Reader {
  const text = "naïve café, žluťoučký kůň, Ёжик, 日本語、한국어 😀\r\nlast line\n";
  return {
    name: "encodings",
    originals: [
      ...[Buffer.from(text), Buffer.from(text, "utf16le"), Buffer.from(text, "latin1")],
      Buffer.from([0x93, 0xfa, 0x96, 0x7b, 0x8c, 0xea, 0x0a, 0x1b, 0x24, 0x42, 0x46, 0x7c, 0x0a]),
    ],
    share: 200,
    async read(bytes, draw) {
      const encoding = encodingName(draw.pick(ENCODINGS));
      const invalid = draw.pick<Invalid>(["error", "replace", "skip"]);
      const what = `${encoding}, ${invalid}`;
      const whole = decoded(bytes, encoding, invalid, () => bytes.length + 1);
      const inChunks = decoded(bytes, encoding, invalid, () => 1 + draw.below(9));
      if (inChunks !== whole) return `${what}: other characters in chunks`;
      if (whole === undefined) return undefined;
      const decoder = new TextDecoder(encoding, { ignoreBOM: true });
      // In one piece Node.js 20 takes windows-1252 for ISO-8859-1.
      const expected = decoder.decode(bytes, { stream: true }) + decoder.decode();
      const counts = (it: string) => (invalid === "skip" ? it.replaceAll("\ufffd", "") : it);
      return counts(whole) === counts(expected) ? undefined : `${what}: other characters`;
    },
  };
}

/** All that have a decoder of their own in the standard, and labels of some. */
const ENCODINGS = [
  ...["utf-8", "utf-8", "utf8", "utf-16le", "utf-16le", "utf-16be", "windows-1252", "latin1"],
  ...["iso-8859-2", "koi8-r", "macintosh", "windows-874", "x-mac-cyrillic", "ibm866"],
  ...["gbk", "gb18030", "gb18030", "big5", "euc-jp", "iso-2022-jp", "shift_jis", "euc-kr"],
];

/** The characters of some bytes; undefined where they are refused. */
function decoded(
  bytes: Buffer,
  encoding: string,
  invalid: Invalid,
  nextSize: () => number,
): string | undefined {
  const decoder = createDecoder(encoding, "it", invalid);
  const characters: string[] = [];
  const take = (codePoints: Int32Array) => {
    for (const codePoint of codePoints) characters.push(String.fromCodePoint(codePoint));
  };
  try {
    for (let at = 0; at < bytes.length; ) {
      const end = at + nextSize();
      take(decoder.decode(bytes.subarray(at, end)));
      at = end;
    }
    take(decoder.end());
  } catch (error) {
    if (refusal(error) !== undefined) throw error;
    return undefined;
  }
  decoder.warnings();
  return characters.join("");
}

/** A text as it is learned, with all that may be chosen for it. */
function textReader(folder: string): Reader {
  const file = path.join(folder, "mutated.txt");
  const beside = path.join(folder, "beside");
  return {
    name: "texts",
    originals: [sentences(20), "b\na\nc\na\nbb\n\nc\n", "é\r\nü\r\n\r\n"].map((text) =>
      Buffer.from(text),
    ),
    share: 100,
    async read(bytes, draw) {
      await writeFile(file, bytes);
      await mkdir(beside, { recursive: true });
      await writeFile(path.join(beside, draw.pick(["a.txt", "metrics.jsonl", "b.html"])), bytes);
      const corpus = await loadCorpus({
        files: draw.pick([[file], [beside], [file, beside]]),
        validation: draw.pick([0, 0.1, 0.5]),
        test: draw.pick([0, 0.1]),
        documents: draw.pick(["lines", undefined]),
        split: draw.pick(["random", "sequential"]),
        minCount: draw.pick([undefined, 2]),
        lineEnds: draw.pick(["keep", "lf"]),
        invalid: draw.pick<Invalid>(["error", "replace", "skip"]),
        encoding: draw.pick(["utf-8", "windows-1252", "utf-16le", "shift_jis"]),
      });
      const { vocabulary, train, validation, test } = corpus;
      for (const { tokens } of [train, validation, test]) {
        if (tokens.some((token) => token >= vocabulary.size))
          return "a token beyond the vocabulary";
      }
      const long = corpus.warnings.find(({ length }) => length > MAX_MESSAGE_LENGTH);
      return long && `a long warning: ${long}`;
    },
  };
}

/** What a lock says of its holder. */
async function lockReader(out: string): Promise<Reader> {
  const folder = await emptyRun(out, "locked");
  const lock = await lockRun(folder);
  const files = path.join(folder.path, ".lock");
  const [name] = await readdir(files);
  const holder = await readFile(path.join(files, name));
  await lock.release();
  return {
    name: "locks",
    originals: [holder],
    share: 10,
    async read(bytes) {
      await mkdir(files, { recursive: true });
      await writeFile(path.join(files, "other"), bytes);
      const enough = AbortSignal.timeout(20);
      const taken = await lockRun(folder, enough).catch((error: unknown) => {
        // It waits for a sign of a holder that it can't ask.
        if (error !== enough.reason) throw error;
      });
      await taken?.release();
      await rm(files, { recursive: true, force: true });
      return undefined;
    },
  };
}
