/** Signals to every command, in every phase: it ends within a second, and leaves what it should. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BackendName } from "#src/config/names.js";
import { EXECUTABLE, plainEnvironment, quoted } from "../helpers/executable.js";
import type { Draw } from "../helpers/numbers.js";
import {
  type Campaign,
  caseDraw,
  crashOf,
  type Ending,
  onAllCores,
  partOf,
  type Tally,
} from "./campaign.js";
import { makeSignalFixtures, SIGNAL_CASES, type SignalCase, STEP } from "./signal-cases.js";

/** What is sent. After the second the process ends at once, no matter what it is doing. */
export const SENT = {
  INT: ["SIGINT"],
  TERM: ["SIGTERM"],
  HUP: ["SIGHUP"],
  "INT twice": ["SIGINT", "SIGINT"],
} as const satisfies Record<string, readonly NodeJS.Signals[]>;
export type Sent = keyof typeof SENT;

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
/** What a report writes, where it does not serve it. */
const PAGE = "page.html";
const HANG_MILLISECONDS = 60_000;
/** Between two signals. */
const PAUSE = 60;
/** How long a command may take to end: on a quiet machine, and on a busy one. */
const MAX_MILLISECONDS = { long: 1_000, short: 5_000 };
/** Writing a large checkpoint, which comes before the end. */
const MAX_TO_SAVE = 2_000;

/** A case as it is tried. */
interface Trial {
  readonly tried: SignalCase;
  readonly sent: Sent;
  readonly backend: BackendName;
  readonly draw: Draw;
}

/** The folders of a campaign of signals. */
interface SignalPlace {
  /** Texts and runs, which nothing changes. */
  readonly fixtures: string;
  /** Where a folder can be made for each trial. */
  readonly scratch: string;
  /** How long a command may take to end. */
  readonly most: number;
}

interface Interrupted extends Ending {
  /** From the first signal to the end; undefined where it had ended before. */
  readonly milliseconds: number | undefined;
}

export async function signals(campaign: Campaign, tally: Tally): Promise<void> {
  if (process.platform !== "linux") return tally.skip("it takes /proc to see who hears signals");
  const { long, seed, scratch } = campaign;
  const fixtures = path.join(scratch, "signals");
  await mkdir(fixtures);
  await makeSignalFixtures(fixtures);
  const most = MAX_MILLISECONDS[long ? "long" : "short"];
  const place = { fixtures, scratch, most };
  const backends = await usableBackends(fixtures);
  let number = 0;
  let slowest = { milliseconds: 0, what: "" };
  const trials: Trial[] = [];
  const allSent = Object.keys(SENT) as Sent[];
  for (let round = 0; round < (long ? 5 : 1); round++) {
    for (const tried of SIGNAL_CASES) {
      for (const backend of tried.onEach ? backends : (["native"] as const)) {
        // In the short form each case gets one of them.
        for (const sent of long ? allSent : [allSent[number % allSent.length]])
          trials.push({ tried, sent, backend, draw: caseDraw(seed, number++) });
      }
    }
  }
  const expected: Expected = new Map();
  await onAllCores(partOf(campaign, trials), async (trial) => {
    const { tried, sent, backend } = trial;
    const what = `${tried.name}, ${sent}, ${backend}`;
    await tally.attempt(what, async () => {
      const { wrong, milliseconds = 0 } = await tryOne(place, trial, expected);
      if (milliseconds > slowest.milliseconds) slowest = { milliseconds, what };
      return wrong;
    });
  });
  console.error(`Slowest: ${Math.round(slowest.milliseconds)} ms, ${slowest.what}`);
}

/** Those that load on this machine. */
export async function usableBackends(fixtures: string): Promise<BackendName[]> {
  const names: BackendName[] = ["native", "wasm", "tensorflow"];
  return names.filter((backend) => {
    const args = [EXECUTABLE, "sample", "run", "--out", "runs", "-n", "1", "--backend", backend];
    return (
      spawnSync(process.execPath, args, { cwd: fixtures, env: environment(backend) }).status === 0
    );
  });
}

/** What unbroken runs end with, by their case. */
type Expected = Map<SignalCase, Promise<Map<string, Buffer>>>;

/** Sends signals to a command, and says what is wrong with how it ends, if something is. */
export async function tryOne(
  place: SignalPlace,
  trial: Trial,
  expected: Expected = new Map(),
): Promise<{ wrong: string | undefined; milliseconds?: number | undefined }> {
  const { tried, sent, backend } = trial;
  const { fixtures, scratch } = place;
  const out = path.join(scratch, `out-${trialNumber++}`);
  const args = [...tried.args, ...whereAndHow(tried, out, backend)];
  let before = "";
  const tryAfter = async (shareOfWait: number) => {
    await rm(out, { recursive: true, force: true });
    await mkdir(out);
    if (tried.runs) await cp(path.join(fixtures, tried.runs), out, { recursive: true });
    before = await listed(fixtures, out);
    return interrupted(fixtures, args, out, trial, shareOfWait);
  };
  let ending = await tryAfter(1);
  // A command that hears no signal is late every time.
  for (const share of [1 / 2, 1 / 4, 0]) {
    if (isLate(ending, tried, out)) ending = await tryAfter(share);
  }
  const { milliseconds } = ending;
  const wrong = await wrongWith(ending, trial, place, async () => {
    if (tried.leaves === "all as it was") {
      const after = await listed(fixtures, out);
      // A run that is killed at once may leave an empty one behind.
      if (sent === "INT twice" && args[0] === "train") return undefined;
      return after === before ? undefined : `other files: before\n${before}\nafter\n${after}`;
    }
    const unbroken = expected.get(tried) ?? unbrokenRun(place, tried);
    expected.set(tried, unbroken);
    return wrongWithResume(fixtures, args, out, await unbroken);
  });
  await rm(out, { recursive: true, force: true });
  return { wrong, milliseconds };
}

/** Whether the phase of a case was over before the signal came, as it may be on a fast machine. */
function isLate({ code, stdout }: Interrupted, { leaves }: SignalCase, out: string): boolean {
  if (code === 0) return true;
  return leaves === "all as it was" && (STEP.test(stdout) || existsSync(path.join(out, PAGE)));
}

let trialNumber = 1;

async function wrongWith(
  ending: Interrupted,
  { tried, sent }: Trial,
  { most }: SignalPlace,
  looksWrong: () => Promise<string | undefined>,
): Promise<string | undefined> {
  const { code, signal, stdout, stderr, milliseconds } = ending;
  const said = `${stdout.slice(-500)}\n${stderr.slice(-2_000)}`;
  if (milliseconds === undefined) return `it ended before the signal, with ${code}: ${said}`;
  const name = SENT[sent][0];
  const isCode = code === EXIT_CODES[name] || (code === null && signal === name);
  if (!isCode) return `it ends with ${code ?? signal}: ${said}`;
  if (/^ +at |bug in charnn|^Error/m.test(stderr)) return `it reports an error: ${said}`;
  const saves = tried.leaves === "a run to resume" && sent !== "INT twice";
  const limit = most + (saves ? MAX_TO_SAVE : 0);
  if (milliseconds > limit) return `it takes ${Math.round(milliseconds)} ms to end`;
  if (tried.args[0] === "train" && sent !== "INT twice") {
    const isSaved = /"reason":"interrupted"/.test(stdout);
    const isUndone = /^Interrupted before the first step: nothing was changed\.\r?$/m.test(stderr);
    if (isSaved === isUndone) return `it does not say what happened: ${said}`;
  }
  return looksWrong();
}

async function wrongWithResume(
  fixtures: string,
  args: readonly string[],
  out: string,
  unbroken: ReadonlyMap<string, Buffer>,
): Promise<string | undefined> {
  const resumed = await ended(fixtures, [...args, "--resume"], environment("native"));
  const crash = crashOf(resumed);
  if (crash !== undefined || resumed.code !== 0) {
    return `the resume ends with ${resumed.code}: ${crash ?? resumed.stderr}`;
  }
  const files = await checkpointsIn(out);
  for (const [name, bytes] of unbroken) {
    if (!files.get(name)?.equals(bytes)) return `the resumed run ends with other bytes in ${name}`;
  }
  return undefined;
}

async function unbrokenRun({ fixtures, scratch }: SignalPlace, tried: SignalCase) {
  const out = path.join(scratch, `out-${trialNumber++}`);
  const args = [...tried.args, ...whereAndHow(tried, out, "native")];
  const { code, stderr } = await ended(fixtures, args, environment("native"));
  if (code !== 0) throw new Error(stderr);
  const files = await checkpointsIn(out);
  await rm(out, { recursive: true });
  return files;
}

/** The checkpoints below a folder. */
async function checkpointsIn(out: string): Promise<Map<string, Buffer>> {
  const names = (await readdir(out, { recursive: true })).filter((it) => /\.safetensors$/.test(it));
  const read = names.map(async (name) => [name, await readFile(path.join(out, name))] as const);
  return new Map(await Promise.all(read));
}

/** Options that all commands have, where they have them. */
function whereAndHow({ args }: SignalCase, out: string, backend: BackendName): string[] {
  const hasOut = !["bench", "copies", "doctor"].includes(args[0]);
  const hasBackend = ["train", "sample", "eval", "score", "report", "bench"].includes(args[0]);
  // Else it would write where others look for what has changed.
  const writesPage = args[0] === "report" && !args.includes("--watch");
  return [
    ...(hasOut ? ["--out", out] : []),
    ...(hasBackend ? ["--backend", backend] : []),
    ...(writesPage ? ["--output", path.join(out, PAGE)] : []),
  ];
}

/** Sizes and times of all that is in the folders. */
async function listed(...folders: string[]): Promise<string> {
  const lines: string[] = [];
  for (const folder of folders) {
    for (const name of (await readdir(folder, { recursive: true })).sort()) {
      if (name.startsWith("folder/")) continue;
      const { size, mtimeMs } = await stat(path.join(folder, name));
      lines.push(`${name} ${size} ${/\.lock|made$/.test(name) ? "" : mtimeMs}`);
    }
  }
  return lines.join("\n");
}

/**
 * Starts a command, sends it signals at the case's moment, and waits for its end.
 *
 * @param shareOfWait of the case's wait before the first signal
 */
async function interrupted(
  cwd: string,
  args: readonly string[],
  out: string,
  { tried, sent, backend, draw }: Trial,
  shareOfWait: number,
): Promise<Interrupted> {
  const onTerminal = sent === "HUP";
  const child = onTerminal ? startOnTerminal(cwd, args, backend) : start(cwd, args, backend);
  const end = endingOf(child);
  let isOver = false;
  const over = end.then(() => {
    isOver = true;
  });
  const pid = onTerminal ? await pidOnTerminal(child, () => isOver) : child.pid;
  const { says, has, wait = [0, 0] } = tried.at;
  if (says) await Promise.race([over, output(child, says)]);
  else while (!isOver && !(await catchesSignals(pid))) await sleep(5);
  if (has) while (!isOver && !(await namesIn(out)).some((it) => has.test(it)));
  const [least, mostWait] = wait;
  const waited = shareOfWait * (least + draw.below(mostWait - least + 1));
  await Promise.race([over, sleep(waited)]);
  const isInTime = !isOver;
  const since = performance.now();
  for (const [k, name] of SENT[sent].entries()) {
    if (k > 0) await Promise.race([over, sleep(PAUSE)]);
    if (!isOver && pid !== undefined) sendTo(pid, name);
  }
  const ending = await end;
  return { ...ending, milliseconds: isInTime ? performance.now() - since : undefined };
}

/** All names below a folder in which a process makes and removes some. */
async function namesIn(folder: string): Promise<string[]> {
  for (;;) {
    try {
      return await readdir(folder, { recursive: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
}

function sendTo(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended.
  }
}

function start(cwd: string, args: readonly string[], backend: BackendName): ChildProcess {
  return spawn(process.execPath, [EXECUTABLE, ...args], {
    cwd,
    env: environment(backend),
    timeout: HANG_MILLISECONDS,
    killSignal: "SIGKILL",
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/** With standard error on a terminal, since a command goes on after SIGHUP where it is none. */
function startOnTerminal(cwd: string, args: readonly string[], backend: BackendName): ChildProcess {
  const command = [process.execPath, EXECUTABLE, ...args].map(quoted).join(" ");
  const script = `echo pid $$; exec ${command}`;
  const words = ["--quiet", "--return", "--flush", "--command", script, "/dev/null"];
  return spawn("script", words, {
    cwd,
    env: { ...environment(backend), SHELL: "/bin/sh", NO_COLOR: "1", TERM: "dumb" },
    timeout: HANG_MILLISECONDS,
    killSignal: "SIGKILL",
    stdio: ["pipe", "pipe", "pipe"],
  });
}

async function pidOnTerminal(
  child: ChildProcess,
  isOver: () => boolean,
): Promise<number | undefined> {
  let said = "";
  child.stdout?.on("data", (bytes) => {
    said += bytes;
  });
  for (;;) {
    const [, pid] = /^pid (\d+)/m.exec(said) ?? [];
    if (pid !== undefined) return Number(pid);
    if (isOver()) return undefined;
    await sleep(5);
  }
}

/** The environment in which a backend loads. */
function environment(backend: BackendName): NodeJS.ProcessEnv {
  const data = process.env.XDG_DATA_HOME ?? path.join(homedir(), ".local", "share");
  return { ...plainEnvironment(), ...(backend === "tensorflow" && { XDG_DATA_HOME: data }) };
}

async function endingOf(child: ChildProcess): Promise<Ending> {
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (bytes) => {
    stdout += bytes;
  });
  child.stderr?.on("data", (bytes) => {
    stderr += bytes;
  });
  child.stdin?.on("error", () => {});
  const [code, signal] = await once(child, "close");
  // On a terminal both are one.
  return { code, signal, stdout, stderr: stderr || stdout };
}

async function ended(
  cwd: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Ending> {
  const child = spawn(process.execPath, [EXECUTABLE, ...args], {
    ...{ cwd, env, timeout: HANG_MILLISECONDS, killSignal: "SIGKILL" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return endingOf(child);
}

/** Resolves when the program has written something like this. */
function output(child: ChildProcess, pattern: RegExp): Promise<void> {
  return new Promise((resolve) => {
    let text = "";
    const look = (bytes: Buffer) => {
      text = `${text}${bytes}`.slice(-10_000);
      if (pattern.test(text)) resolve();
    };
    child.stdout?.on("data", look);
    child.stderr?.on("data", look);
  });
}

/** Whether a process has its handlers: that of SIGALRM is there with them, and Node has none. */
async function catchesSignals(pid: number | undefined): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "latin1").catch(() => "");
  const [, caught] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  return caught !== undefined && (BigInt(`0x${caught}`) >> 13n) % 2n === 1n;
}
