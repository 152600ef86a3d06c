/** What commands may be at when a signal comes. */
import { spawnSync } from "node:child_process";
import { cp, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { runFolder } from "#src/runs/run-folder.js";
import { sentences } from "../helpers/executable.js";
import { run } from "./campaign.js";

/** When a signal is sent. */
interface Moment {
  /** What the command has written by then; when left out, it has its handlers for signals. */
  readonly says?: RegExp;
  /** A file that is there by then, below the folder of its runs. */
  readonly has?: RegExp;
  /** Milliseconds after that, at least and at most. */
  readonly wait?: readonly [least: number, most: number];
}

/** A command in one of its phases. */
export interface SignalCase {
  readonly name: string;
  readonly args: readonly string[];
  readonly at: Moment;
  /**
   * What is there afterwards: what was there before, or a run that goes on with `--resume` and ends with the
   * bytes of an unbroken one.
   */
  readonly leaves: "all as it was" | "a run to resume";
  /** Whether it is tried on every backend; else on the native one. */
  readonly onEach?: true;
  /** Its runs before it begins: a folder beside the texts. */
  readonly runs?: "lock" | "runs" | "reported";
}

type Phase = Omit<SignalCase, "leaves">;

/** Options of a training that does not give others. */
const TRAIN = {
  ...{ "--preset": "tiny", "--hidden-size": "8", "--batch-size": "4", "--seq-length": "16" },
  ...{ "--name": "made", "--threads": "1" },
};
/** What a training writes after each step. */
export const STEP = /"event":"step"/;
/** Loading a backend takes most of a second, and the trial that follows starts then. */
const LATER = [300, 2_000] as const;

/** Of a run that has not taken its first step. */
const PREPARING: Phase[] = [
  { name: "a large file is read", args: ["large.txt"], at: { says: /"reading"/ } },
  { name: "a folder is read", args: ["folder"], at: { wait: [0, 300] } },
  { name: "a pipe is waited for", args: ["pipe"], at: { wait: [200, 400] } },
  { name: "standard input is waited for", args: ["-"], at: { wait: [200, 400] } },
  { name: "strings are counted", args: ["middle.txt"], at: { says: /"counting"/ } },
  {
    name: "a list is divided",
    args: ["large.txt", "--documents", "lines"],
    at: { says: /"reading"/, wait: [0, 1_500] },
  },
  {
    name: "the run is planned",
    args: ["middle.txt", "--batching", "windows", "--stride", "1"],
    at: { says: /"counting","share":1/, wait: [0, 300] },
  },
  {
    name: "the speed is tried for --max-time",
    args: ["text.txt", "--hidden-size", "1024", "--max-time", "60s"],
    at: { wait: LATER },
    onEach: true,
  },
  {
    name: "a step has very many batches",
    args: ["text.txt", "--accumulate", "1000000"],
    at: { says: /"start"/, wait: [0, 500] },
    onEach: true,
  },
  {
    name: "a batch is very large",
    args: [
      ...["text.txt", "--hidden-size", "1024", "--batch-size", "64", "--seq-length", "128"],
      ...["--layers", "2", "--steps", "5"],
    ],
    at: { wait: LATER },
    onEach: true,
  },
  {
    name: "a batch is very large for two threads",
    args: [
      ...["text.txt", "--hidden-size", "1024", "--batch-size", "64", "--seq-length", "128"],
      ...["--layers", "2", "--steps", "5", "--threads", "2"],
    ],
    at: { wait: LATER },
    onEach: true,
  },
  {
    name: "first weights of a large model are drawn",
    args: ["text.txt", "--hidden-size", "2000", "--steps", "5"],
    at: { wait: LATER },
  },
  {
    name: "a holder of the run is watched",
    args: ["text.txt", "--resume"],
    at: { wait: [500, 3_000] },
    runs: "lock",
  },
];

/** Of a run that has taken a step. */
const TRAINING: Phase[] = [
  { name: "it takes steps", args: ["text.txt", "--steps", "400"], at: { says: STEP } },
  {
    name: "it is evaluated",
    args: ["middle.txt", "--steps", "2", "--eval-every", "1", "--validation", "0.4"],
    at: { says: STEP, wait: [0, 300] },
  },
  {
    name: "it is saved",
    args: [
      ...["text.txt", "--hidden-size", "700", "--steps", "6", "--save-every", "1"],
      ...["--batch-size", "1", "--seq-length", "4", "--validation", "0"],
    ],
    at: { has: /tmp$/ },
  },
  {
    name: "its test part is scored",
    args: ["middle.txt", "--steps", "1", "--validation", "0.01", "--test", "0.6"],
    at: { says: /"kind":"last"/, wait: [0, 200] },
  },
  {
    name: "the fold after it begins",
    args: ["text.txt", "--steps", "30", "--cross-validate", "3"],
    at: { says: /"event":"end"/, wait: [0, 100] },
  },
];

/** Of commands that change nothing, or write one file at their end. */
const READING: Phase[] = [
  {
    name: "sample, while a long seed is read",
    args: ["sample", "wide", "--seed", "The quick brown fox ".repeat(6_000)],
    at: { wait: [100, 600] },
    onEach: true,
  },
  {
    name: "sample, while it writes",
    args: ["sample", "run", "-n", "-1"],
    at: { says: /./, wait: [0, 300] },
    onEach: true,
  },
  {
    name: "sample, while a text to copy nothing from is read",
    args: ["sample", "run", "--max-copy", "9", "--training-text", "large.txt"],
    at: { wait: [0, 1_500] },
  },
  {
    name: "eval, while a text is read",
    args: ["eval", "run", "large.txt"],
    at: { wait: [0, 800] },
  },
  { name: "eval, while a pipe is waited for", args: ["eval", "run", "pipe"], at: {} },
  {
    name: "eval, while a text is scored",
    args: ["eval", "wide", "middle.txt"],
    at: { wait: [300, 1_500] },
    onEach: true,
  },
  {
    name: "eval --dynamic, while a text is scored",
    args: ["eval", "run", "middle.txt", "--dynamic"],
    at: { wait: [500, 2_000] },
  },
  {
    name: "eval, while strings are counted",
    args: ["eval", "run", "middle.txt"],
    at: { wait: [500, 3_000] },
  },
  { name: "score, while a text is read", args: ["score", "run", "-"], at: { wait: [0, 500] } },
  {
    name: "score, while a text is scored",
    args: ["score", "run", "middle.txt"],
    at: { wait: [300, 3_000] },
  },
  {
    name: "copies, while a sample is indexed",
    args: ["copies", "middle.txt", "large.txt"],
    at: { wait: [300, 2_500] },
  },
  {
    name: "copies, while a text is read",
    args: ["copies", "text.txt", "large.txt", "folder"],
    at: { wait: [0, 1_500] },
  },
  { name: "plot, while reports are read", args: ["plot", "made"], at: {}, runs: "reported" },
  {
    name: "report, while a text is looked at",
    args: ["report", "run", "--text", "middle.txt"],
    // The page is written within a second.
    at: { wait: [200, 500] },
  },
  {
    name: "report --watch, while it serves",
    args: ["report", "run", "--watch"],
    at: { says: /http/, wait: [0, 300] },
  },
  {
    name: "report --watch, while it waits for a run",
    args: ["report", "later", "--watch"],
    at: { wait: [200, 400] },
  },
  { name: "info, while runs are read", args: ["info"], at: { wait: [0, 50] } },
  { name: "info, while a checkpoint is read", args: ["info", "wide"], at: { wait: [0, 20] } },
  {
    name: "bench, while a text is made",
    args: ["bench", "--batch-size", "1000", "--seq-length", "1000"],
    at: { wait: [200, 1_000] },
  },
  { name: "bench", args: ["bench"], at: { wait: [300, 4_000] }, onEach: true },
  { name: "doctor", args: ["doctor"], at: { wait: [0, 3_000] } },
];

export const SIGNAL_CASES: readonly SignalCase[] = [
  ...PREPARING.map((it) => training(it, "all as it was")),
  ...TRAINING.map((it) => training(it, "a run to resume")),
  ...READING.map((it) => ({ runs: "runs", ...it, leaves: "all as it was" }) as const),
];

function training({ name, args, ...more }: Phase, leaves: SignalCase["leaves"]): SignalCase {
  const others = Object.entries(TRAIN).filter(([option]) => !args.includes(option));
  const all = ["train", ...args, ...others.flat(), "--json"];
  return { ...more, name: `train, while ${name}`, args: all, leaves };
}

const LINES = 200;
/** How often the lines come in each text. */
const TEXTS = { "large.txt": 5_000, "middle.txt": 500, "text.txt": 1 };
const FILES_IN_FOLDER = 2_000;
const REPORTS = 200_000;

/** Makes the texts and the runs of the cases in a folder. */
export async function makeSignalFixtures(folder: string): Promise<void> {
  const lines = sentences(LINES);
  for (const [name, times] of Object.entries(TEXTS)) {
    await writeFile(path.join(folder, name), lines.repeat(times));
  }
  await mkdir(path.join(folder, "folder"));
  for (let k = 0; k < FILES_IN_FOLDER; k++) {
    await writeFile(path.join(folder, "folder", `${k}.txt`), `${sentences(10)}${k}\n`);
  }
  spawnSync("mkfifo", [path.join(folder, "pipe")]);
  const train = ["train", "text.txt", "--steps", "1", "--out", "runs", "--threads", "1"];
  for (const [name, size] of [
    ["run", "8"],
    ["wide", "500"],
  ]) {
    const { code, stderr } = await run(folder, [...train, "--name", name, "--hidden-size", size]);
    if (code !== 0) throw new Error(stderr);
  }
  await cp(path.join(folder, "runs/run"), path.join(folder, "lock/made"), { recursive: true });
  // Of a process elsewhere that gives no sign of life, for which it is waited.
  await mkdir(path.join(folder, "lock/made/.lock"));
  const holder = { pid: 1, host: "elsewhere", boot: "another", locksFile: false, beat: "1" };
  await writeFile(path.join(folder, "lock/made/.lock/holder"), JSON.stringify(holder));
  const { metrics } = runFolder(path.join(folder, "reported"), "made");
  await mkdir(path.dirname(metrics), { recursive: true });
  const reports = Array.from({ length: REPORTS }, (_, k) =>
    JSON.stringify({
      ...{ event: "step", step: k + 1, epoch: 1, loss: 1, learningRate: 0.01 },
      ...{ gradientNorm: 1, dropped: false, charsPerSecond: 1, seconds: k },
    }),
  );
  await writeFile(metrics, `${reports.join("\n")}\n`);
}
