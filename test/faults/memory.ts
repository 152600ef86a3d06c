/** Memory that must not grow, however long charnn is used. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { access, appendFile, readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { MAX_STEPS } from "#src/config/names.js";
import {
  BACKEND,
  type Campaign,
  type Ending,
  LAST,
  onAllCores,
  partOf,
  place,
  run,
  runWords,
  type Tally,
  TRAIN,
} from "./campaign.js";

/** Bytes by which the mean of the last tenth of the time may be above that of the first. */
const MAX_GROWTH = 40e6;
/** Seconds of the processor, so that other work makes no difference: first those that do not count. */
const WARM_UP_SECONDS = 2;
const SHORT_SECONDS = 3;
const LONG_SECONDS = 600;
/** Of a page's readers, which count as a second of its server. */
const READERS_PER_SECOND = 50;
const HANG_MILLISECONDS = 60_000;
const MAX_MILLISECONDS = 12 * 3_600_000;
/** As Linux counts the time of processes, on every machine. */
const TICKS_PER_SECOND = 100;
/** Of the training in the long form, which ends by itself. */
const LONG_STEPS = 1_000_000;
const MIN_LOOKS = 20;
const TO_NOWHERE = ["sh", "-c", 'exec "$@" > /dev/null', "sh"];
const WORKER = fileURLToPath(new URL("memory-worker.js", import.meta.url));

/** Something that goes on until it is interrupted, or has ended. */
interface Use {
  readonly name: string;
  start(folder: string, onStart: (child: ChildProcess) => void): Promise<Ending>;
  /** What others do meanwhile, again and again. */
  readonly meanwhile?: (child: ChildProcess, folder: string, round: number) => Promise<void>;
}

function usesOf(steps: number): Use[] {
  const timeout = MAX_MILLISECONDS;
  const command = (...args: string[]): Use["start"] => {
    return (folder, onStart) => run(folder, args, { words: TO_NOWHERE, timeout, onStart });
  };
  const library = (name: string): Use => ({
    name: `the library: ${name}`,
    start: (folder, onStart) =>
      runWords(folder, [process.execPath, "--expose-gc", WORKER, name, folder], {
        timeout,
        onStart,
      }),
  });
  return [
    {
      name: "training",
      start: command(
        ...["train", "text.txt", "--name", "long", "--hidden-size", "8", "--batch-size", "2"],
        ...["--seq-length", "8", "--steps", `${steps}`, "--eval-every", "500", "--save-every"],
        ...["100", "--keep", "2", "--threads", "1", "--backend", BACKEND, "--quiet"],
      ),
    },
    { name: "a sample without end", start: command("sample", "run", "-n", "-1") },
    {
      name: "a page that is watched",
      start: (folder, onStart) => run(folder, ["report", "run", "--watch"], { timeout, onStart }),
      meanwhile: watch,
    },
    ...["samples", "evaluations", "reading", "trainings"].map(library),
  ];
}

export async function memory(campaign: Campaign, tally: Tally): Promise<void> {
  const hasProcesses = await access("/proc/self/status").then(
    () => true,
    () => false,
  );
  if (!hasProcesses) return tally.skip("it takes /proc to see a process's memory");
  const { long } = campaign;
  const uses = usesOf(long ? LONG_STEPS : MAX_STEPS);
  await onAllCores(partOf(campaign, uses), async (use) => {
    const folder = await place(campaign);
    const { code, stderr } = await run(folder, TRAIN);
    if (code !== 0) throw new Error(stderr);
    const isToEnd = long && use.name === "training";
    const seconds = isToEnd ? Number.POSITIVE_INFINITY : long ? LONG_SECONDS : SHORT_SECONDS;
    await tally.attempt(use.name, () => grows(use, folder, seconds, tally));
  });
}

/** By how much memory grows, where that is too much. */
async function grows(
  use: Use,
  folder: string,
  seconds: number,
  tally: Tally,
): Promise<string | undefined> {
  const looks: number[] = [];
  let others = Promise.resolve();
  const { code, signal, stderr } = await use.start(folder, (child) => {
    const isRunning = () => child.exitCode === null && child.signalCode === null;
    const { meanwhile } = use;
    let round = 0;
    const workedBy = (ofProcess: number) => (meanwhile ? round / READERS_PER_SECOND : ofProcess);
    void look(child, seconds, looks, isRunning, workedBy);
    if (!meanwhile) return;
    others = (async () => {
      for (; isRunning(); round++) await meanwhile(child, folder, round).catch(() => {});
    })();
  });
  await others;
  // Node.js ends by the signal where nothing handles it, as in the worker.
  if (code !== 0 && code !== 130 && signal !== "SIGINT")
    return `it ends with ${code ?? signal}: ${stderr}`;
  if (looks.length < MIN_LOOKS) return `it ends after ${looks.length} looks`;
  const tenth = Math.floor(looks.length / 10);
  const [first, last] = [looks.slice(0, tenth), looks.slice(-tenth)].map(meanOf);
  const inMegabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  const figures = `${use.name}: ${inMegabytes(first)} at first, ${inMegabytes(last)} at last`;
  tally.line.say(figures);
  return last - first > MAX_GROWTH ? figures : undefined;
}

/** Looks at a process's memory until it has worked for some seconds, or ends. */
async function look(
  child: ChildProcess,
  seconds: number,
  looks: number[],
  isRunning: () => boolean,
  workedBy: (ofProcess: number) => number,
): Promise<void> {
  while (isRunning()) {
    await sleep(seconds > SHORT_SECONDS ? 1_000 : 50);
    const { bytes, worked } = await stateOf(child.pid as number);
    const done = workedBy(worked);
    // Before that code is compiled, and the heap grows to its size.
    if (bytes > 0 && done >= WARM_UP_SECONDS) looks.push(bytes);
    // On a fast machine a page's readers are done sooner.
    if (done < WARM_UP_SECONDS + seconds || looks.length < MIN_LOOKS) continue;
    child.kill("SIGINT");
    setTimeout(() => child.kill("SIGKILL"), HANG_MILLISECONDS).unref();
    return;
  }
}

/** The memory of a process, and the seconds of the processor that it has taken. */
async function stateOf(pid: number): Promise<{ bytes: number; worked: number }> {
  const read = (name: string) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
  const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(await read("status")) ?? [];
  const stat = await read("stat");
  // After the name, which may hold spaces, the 12th and 13th.
  const [user, system] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13)
    .map(Number);
  if (kilobytes === undefined) return { bytes: 0, worked: 0 };
  return { bytes: 1_024 * Number(kilobytes), worked: (user + system) / TICKS_PER_SECOND };
}

const addresses = new WeakMap<ChildProcess, Promise<string>>();

/** A reader who comes, looks at the page and its events, and goes, while the run reports more. */
async function watch(child: ChildProcess, folder: string, round: number): Promise<void> {
  const known = addresses.get(child) ?? addressOf(child);
  addresses.set(child, known);
  const address = await known;
  const step = 5 + round;
  const report = { event: "step", step, epoch: 1, loss: 1 + 1 / step, learningRate: 0.01 };
  await appendFile(
    path.join(folder, path.dirname(LAST), "metrics.jsonl"),
    `${JSON.stringify({ ...report, charsPerSecond: step, seconds: step })}\n`,
  );
  const gone = new AbortController();
  const { signal } = gone;
  await (await fetch(address, { signal })).text();
  const events = await fetch(address.replace("/?", "/events?"), { signal });
  await events.body?.getReader().read();
  gone.abort();
}

async function addressOf(child: ChildProcess): Promise<string> {
  const [said] = await once(child.stdout as NodeJS.EventEmitter, "data");
  return `${said}`.trim();
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
