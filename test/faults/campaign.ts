import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { train } from "#src/index.js";
import { EXECUTABLE, plainEnvironment, sentences } from "../helpers/executable.js";
import { Draw } from "../helpers/numbers.js";
import type { ProgressLine } from "./progress-line.js";
import { stateOf } from "./states.js";

/** Of the failures of a kind; --json has all of them. */
const MAX_SHOWN = 20;
const HANG_MILLISECONDS = 120_000;
/** The checkpoint of {@link TRAIN} to go on from. */
export const LAST = path.join("checkpoints", "run", "last.safetensors");

/** Named in every training, so that no other one takes its place where it does not load. */
export const BACKEND = "native" as const;

/** A run that saves twice, and keeps the checkpoint of a step; without n-grams, whose embeddings make files large. */
export const TRAIN = [
  ...["train", "text.txt", "--name", "run", "--hidden-size", "4", "--ngram-order", "1"],
  ...["--batch-size", "2"],
  ...["--seq-length", "8", "--steps", "4", "--eval-every", "2", "--keep", "1", "--threads", "1"],
  ...["--backend", BACKEND],
];
export const RESUME = [...TRAIN, "--resume"];

/** How a campaign goes. */
export interface Campaign {
  readonly long: boolean;
  readonly seed: number;
  /** Which part of the cases is tried, from 1; see {@link partOf}. */
  readonly part: { readonly index: number; readonly of: number };
  /** A folder that goes away with the campaign. */
  readonly scratch: string;
  /** What is preloaded to make calls fail; undefined without a C compiler, or not on Linux. */
  readonly faultyCalls: string | undefined;
  /** Does something when the campaign ends. */
  after(action: () => unknown): void;
}

/** How many cases of a kind were tried, and what became of them. */
export class Tally {
  tried = 0;
  survived = 0;
  seconds = 0;
  /** Why nothing was tried. */
  skipped: string | undefined;
  readonly failures: string[] = [];

  constructor(
    readonly kind: string,
    readonly line: ProgressLine,
  ) {}

  /**
   * @param repeat how to have the same case again
   * @param check says what is wrong; undefined: nothing
   */
  async attempt(repeat: string, check: () => Promise<string | undefined>): Promise<void> {
    this.line.show(`${this.kind}: ${this.tried} tried, ${repeat}`);
    const wrong = await check().catch((error: unknown) => `${error}`);
    if (wrong === undefined) this.pass();
    else this.fail(repeat, wrong);
  }

  /** Leaves the kind out. */
  skip(reason: string): void {
    this.skipped = reason;
  }

  pass(): void {
    this.tried++;
    this.survived++;
  }

  fail(repeat: string, wrong: string): void {
    this.tried++;
    this.failures.push(`${this.kind}, ${repeat}: ${wrong}`);
    // At once: a campaign may take hours.
    if (this.failures.length <= MAX_SHOWN) this.line.say(`Failed: ${this.failures.at(-1)}`);
  }
}

/** Those of a kind's cases that are to be tried: all, or every N-th for one of N parts. */
export function partOf<Case>({ part }: Pick<Campaign, "part">, cases: readonly Case[]): Case[] {
  return cases.filter((_, index) => index % part.of === part.index - 1);
}

/** The random numbers of a case, the same for the same seed and number. */
export function caseDraw(seed: number, number: number): Draw {
  return new Draw(Math.imul(seed, 0x9e3779b1) + number);
}

/**
 * Handles items one after the other, on every core.
 *
 * @param perCore more than one for items that mostly wait
 */
export async function onAllCores<Item>(
  items: Iterable<Item>,
  handle: (item: Item) => Promise<void>,
  perCore = 1,
): Promise<void> {
  const left = items[Symbol.iterator]();
  const work = async () => {
    for (let next = left.next(); !next.done; next = left.next()) await handle(next.value);
  };
  await Promise.all(Array.from({ length: perCore * availableParallelism() }, work));
}

/** The numbers from 1 to `count`. */
export function numbersTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Words before the command: those of a namespace, see `PLACES`. */
  readonly words?: readonly string[];
  /** Milliseconds after which it is killed, in place of two minutes. */
  readonly timeout?: number;
  /** In place of the built program: a copy of it. */
  readonly program?: string;
  /** Does something to the program. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** Runs the program. */
export function run(
  cwd: string,
  args: readonly string[],
  { words = [], program = EXECUTABLE, ...options }: RunOptions = {},
): Promise<Ending> {
  return runWords(cwd, [...words, process.execPath, program, ...args], options);
}

/** Runs any command. */
export async function runWords(
  cwd: string,
  [command, ...args]: readonly string[],
  {
    env = {},
    timeout = HANG_MILLISECONDS,
    onStart = () => {},
  }: Omit<RunOptions, "words" | "program"> = {},
): Promise<Ending> {
  const options: SpawnOptions = {
    cwd,
    env: { ...plainEnvironment(), UV_THREADPOOL_SIZE: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout,
    killSignal: "SIGKILL",
  };
  const child = spawn(command, args, options);
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout?.on("data", (bytes) => stdout.push(bytes));
  child.stderr?.on("data", (bytes) => stderr.push(bytes));
  onStart(child);
  const [code, signal] = await once(child, "close");
  const textOf = (chunks: readonly Buffer[]) => Buffer.concat(chunks).toString();
  return { code, signal, stdout: textOf(stdout), stderr: textOf(stderr) };
}

/** What no ending may have: a crash, a hang, or a stack. */
export function crashOf({ code, signal, stderr }: Ending): string | undefined {
  if (signal) return `it was ended by ${signal}`;
  if (/^ +at /m.test(stderr) || /bug in charnn/.test(stderr)) return `a stack: ${stderr}`;
  return code === 0 || /^Error: \S/m.test(stderr) ? undefined : `it ends with ${code}: ${stderr}`;
}

/** A folder with a text; `from`: a copy of that one. */
export async function place({ scratch }: Campaign, from?: string): Promise<string> {
  const folder = await mkdtemp(path.join(scratch, "case-"));
  if (from) await cp(from, folder, { recursive: true });
  else await writeFile(path.join(folder, "text.txt"), sentences(20));
  return folder;
}

/** What the last checkpoint of an unbroken run holds. */
export async function unbroken(campaign: Campaign): Promise<Buffer> {
  const folder = await place(campaign);
  const { code, stderr } = await run(folder, TRAIN);
  if (code !== 0) throw new Error(stderr);
  return readFile(path.join(folder, LAST));
}

/** The folder of a run of {@link TRAIN} that was left after its first save. */
export async function startedRun(campaign: Campaign): Promise<string> {
  const folder = await place(campaign);
  const settings = {
    files: [path.join(folder, "text.txt")],
    out: path.join(folder, "checkpoints"),
    ...{ name: "run", hiddenSize: 4, ngramOrder: 1, batchSize: 2, seqLength: 8, steps: 4 },
    ...{ evalEvery: 2, keep: 1, threads: 1, backend: BACKEND },
  };
  for await (const event of train(settings)) {
    if (event.event === "checkpoint" && event.step === 2 && event.kind === "step") break;
  }
  return folder;
}

/**
 * What is wrong with resuming a run to its end, if something is. Of runs that stand the same one is resumed, and
 * all folders go away.
 */
export async function resumesTo(
  expected: Buffer,
  folder: string,
  resume: readonly string[] = RESUME,
): Promise<string | undefined> {
  const state = JSON.stringify([await stateOf(folder), resume]);
  const known = verdicts.get(expected) ?? new Map<string, Verdict>();
  const verdict = known.get(state) ?? resumed(expected, folder, resume);
  verdicts.set(expected, known.set(state, verdict));
  const wrong = await verdict;
  await rm(folder, { recursive: true });
  return wrong;
}

type Verdict = Promise<string | undefined>;

/** By how a run should end, and by how it stands. */
const verdicts = new WeakMap<Buffer, Map<string, Verdict>>();

async function resumed(
  expected: Buffer,
  folder: string,
  resume: readonly string[],
): Promise<string | undefined> {
  const { code, stderr } = await run(folder, resume);
  if (code !== 0) return `the resume ends with ${code}: ${stderr.trim()}`;
  const last = await readFile(path.join(folder, LAST));
  return last.equals(expected) ? undefined : "the resumed run ends with other bytes";
}

export async function scratchFolder(): Promise<string> {
  return mkdtemp(path.join(tmpdir(), "charnn-faults-"));
}
