/** Processes that want one run, in one place or in several, of which one is killed or stopped. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { copiedProgram } from "../helpers/copied-program.js";
import { sentences } from "../helpers/executable.js";
import { mounted, PLACES, type Place, whyNot } from "../helpers/namespaces.js";
import type { Draw } from "../helpers/numbers.js";
import {
  type Campaign,
  caseDraw,
  crashOf,
  type Ending,
  LAST,
  numbersTo,
  onAllCores,
  partOf,
  type RunOptions,
  run,
  type Tally,
} from "./campaign.js";
import {
  isStopped,
  LASTING,
  type Lasting,
  lasting,
  lastingUnnamed,
  nodeIn,
  ownNumber,
  unbrokenLasting,
  until,
  untilSaved,
  wrongIn,
} from "./lasting-run.js";

/** A holder that gives no sign for eight seconds is taken for gone. */
const PATIENCE_MILLISECONDS = 9_000;
/** Cases mostly wait. */
const PER_CORE = 2;
/** Trained by a copy of the program, which has no addon. */
const OF_COPY: Lasting = { ...LASTING, backend: "wasm" };
const ALL_PLACES = Object.keys(PLACES) as Place[];
/** Pairs of places where neither process can look the other up by its number. */
const APART: readonly (readonly [Place, Place])[] = [
  ["otherNumbers", "here"],
  ["otherNumbers", "otherNumbers"],
  ["otherNumbers", "otherHost"],
];
/** Of these the first can stop itself, as the first process of a namespace can't. */
const APART_AT_CALL: typeof APART = [
  ["here", "otherNumbers"],
  ["otherHost", "otherNumbers"],
];

/** A file system on which runs can be. */
interface Disk {
  readonly name: string;
  /** A new folder with a text, as it is seen from here. */
  makeFolder(): Promise<string>;
  /** Words before a command that is to run in that folder. */
  wordsFor(folder: string): readonly string[];
}

/** What a case is tried with. */
interface Setting {
  readonly campaign: Campaign;
  readonly disk: Disk;
  readonly draw: Draw;
  /** The last bytes of an unbroken run: with the addon, and without it. */
  readonly expected: Buffer;
  readonly expectedOfCopy: Buffer;
  /** The program without the addon, by which the system would hold a lock for it. */
  readonly copy: string;
}

type Try = (setting: Setting) => Promise<string | undefined>;

const CASES: readonly {
  readonly name: string;
  readonly short: number;
  readonly long: number;
  readonly attempt: Try;
}[] = [
  { name: "the first is killed", short: 3, long: 300, attempt: afterKill },
  { name: "the first is stopped", short: 1, long: 60, attempt: whileStopped },
  { name: "the first is stopped and loses the run", short: 2, long: 100, attempt: takenOver },
  { name: "several begin at once", short: 2, long: 150, attempt: together },
  { name: "one default name", short: 2, long: 100, attempt: oneDefaultName },
];

export async function locks(campaign: Campaign, tally: Tally): Promise<void> {
  const reason = whyNot("otherHost", "otherNumbers");
  if (reason !== false) return tally.skip(reason);
  const copy = await copiedProgram(campaign);
  const expected = await unbrokenLasting(campaign, LASTING);
  const expectedOfCopy = await unbrokenLasting(campaign, OF_COPY);
  const disks = await disksOf(campaign);
  const cases = CASES.flatMap(({ name, short, long, attempt }, index) =>
    numbersTo(campaign.long ? long : short).map((number) => {
      const draw = caseDraw(campaign.seed, 10_000 * index + number);
      const disk = draw.pick(disks);
      const repeat = `seed ${campaign.seed}, ${name}, number ${number}, on ${disk.name}`;
      const setting: Setting = { campaign, disk, draw, expected, expectedOfCopy, copy };
      return { repeat, check: () => attempt(setting) };
    }),
  );
  await onAllCores(
    partOf(campaign, cases),
    ({ repeat, check }) => tally.attempt(repeat, check),
    PER_CORE,
  );
}

/** The folder of temporary files, and where they can be mounted a tmpfs and an overlay. */
async function disksOf(campaign: Campaign): Promise<Disk[]> {
  const own: Disk = {
    name: "the disk of temporary files",
    makeFolder: () => newFolder(campaign.scratch),
    wordsFor: (folder) => ["sh", "-c", 'cd "$0" && exec "$@"', folder],
  };
  const memory = path.join(campaign.scratch, "memory");
  await mkdir(memory);
  const layers = ["lower", "upper", "work", "overlay"].map((name) => path.join(memory, name));
  const [lower, upper, work, overlay] = layers;
  const mounts = await mounted(
    campaign,
    `mount -t tmpfs none ${memory} && mkdir ${layers.join(" ")} && ` +
      `mount -t overlay none -o lowerdir=${lower},upperdir=${upper},workdir=${work} ${overlay}`,
  );
  if (!mounts) return [own];
  const mountedAt = (name: string, folder: string): Disk => ({
    name,
    makeFolder: () => newFolder(path.join(mounts.root, folder)),
    wordsFor: (seen) => [...mounts.words, seen.slice(mounts.root.length)],
  });
  return [own, mountedAt("tmpfs", memory), mountedAt("overlayfs", overlay)];
}

async function newFolder(parent: string): Promise<string> {
  const folder = await mkdtemp(path.join(parent, "case-"));
  await writeFile(path.join(folder, "text.txt"), sentences(20));
  return folder;
}

/** Starts a command in one of the places. */
function startIn(
  { disk }: Setting,
  place: Place,
  folder: string,
  args: readonly string[],
  options: RunOptions = {},
): { readonly node: Promise<number>; readonly ending: Promise<Ending> } {
  let found: Promise<number> | undefined;
  const ending = run("/", args, {
    ...options,
    words: [...disk.wordsFor(folder), ...PLACES[place]],
    onStart: (child) => {
      found = nodeIn(child);
      // It may have ended by then.
      found.catch(() => {});
    },
  });
  return { node: found as unknown as Promise<number>, ending };
}

/** A trainer somewhere that has saved already. */
async function savingTrainer(setting: Setting) {
  const folder = await setting.disk.makeFolder();
  const first = startIn(setting, setting.draw.pick(ALL_PLACES), folder, lasting(LASTING));
  const pid = await first.node;
  const number = await ownNumber(pid);
  await untilSaved(folder);
  return { folder, first, pid, number };
}

/** The first is killed at a random time, while another one wants the run. */
async function afterKill(setting: Setting): Promise<string | undefined> {
  const { draw, expected } = setting;
  const { folder, first, pid, number } = await savingTrainer(setting);
  await sleep(500 * draw.uniform());
  const second = startIn(setting, draw.pick(ALL_PLACES), folder, lasting(LASTING));
  await sleep(2_000 * draw.uniform());
  kill(pid, "SIGKILL");
  const [killed, other] = [await first.ending, await second.ending];
  // It may have ended by itself.
  const wrong =
    (killed.code === 0 ? undefined : wrongUnlessKilled(killed)) ?? refused(other, number);
  if (wrong !== undefined) return wrong;
  const { code, stderr } = await startIn(setting, draw.pick(ALL_PLACES), folder, lasting(LASTING))
    .ending;
  if (code !== 0) return `the next one ends with ${code}: ${stderr}`;
  return endsAs(folder, expected);
}

/** A process that is stopped keeps its run, which the system holds locked for it, however long it takes. */
async function whileStopped(setting: Setting): Promise<string | undefined> {
  const { draw, expected } = setting;
  const { folder, first, pid, number } = await savingTrainer(setting);
  kill(pid, "SIGSTOP");
  await until("the first one is stopped", () => isStopped(pid));
  for (const milliseconds of [0, PATIENCE_MILLISECONDS]) {
    await sleep(milliseconds);
    const other = await startIn(setting, draw.pick(ALL_PLACES), folder, lasting(LASTING)).ending;
    const wrong =
      refused(other, number) ?? (other.code === 0 ? "it gets a run that is held" : undefined);
    if (wrong !== undefined) return wrong;
  }
  kill(pid, "SIGCONT");
  const { code, stderr } = await first.ending;
  return code === 0 ? endsAs(folder, expected) : `it ends with ${code}: ${stderr}`;
}

/** Where nothing tells that a stopped process is still there, another one takes its run, and keeps it. */
async function takenOver(setting: Setting): Promise<string | undefined> {
  const { campaign, disk, draw, expectedOfCopy, copy: program } = setting;
  const folder = await disk.makeFolder();
  const isAtCall = campaign.faultyCalls !== undefined && draw.uniform() < 0.7;
  const [place, otherPlace] = draw.pick(isAtCall ? APART_AT_CALL : APART);
  const env = isAtCall ? stopAt(campaign, 30 + draw.below(400)) : {};
  const train = lasting(OF_COPY);
  const first = startIn(setting, place, folder, train, { program, env });
  const pid = await first.node;
  if (!isAtCall) {
    await untilSaved(folder);
    await sleep(300 * draw.uniform());
    kill(pid, "SIGSTOP");
  }
  await until("the first one is stopped", () => isStopped(pid));
  const held = await lockIn(folder);
  const second = startIn(setting, otherPlace, folder, train, { program });
  let hasEnded = false;
  void second.ending.then(() => {
    hasEnded = true;
  });
  await until("the run is taken over", async () => hasEnded || (await lockIn(folder)) !== held);
  await sleep(3_000 * draw.uniform());
  kill(pid, "SIGCONT");
  const [stopped, taker] = [await first.ending, await second.ending];
  if (taker.code !== 0) return `the second one ends with ${taker.code}: ${taker.stderr}`;
  const says =
    /^Error: (The run run is no longer this process's: |Process \d+.* has taken over the run run, since )/m;
  if (stopped.code !== 1 || !says.test(stopped.stderr)) {
    return `the first one ends with ${stopped.code}: ${stopped.stderr}`;
  }
  return endsAs(folder, expectedOfCopy, 1);
}

/** Several begin a run at once; one of them may be killed. */
async function together(setting: Setting): Promise<string | undefined> {
  const { disk, draw, expected } = setting;
  const folder = await disk.makeFolder();
  const started = numbersTo(2 + draw.below(3)).map(() =>
    startIn(setting, draw.pick(ALL_PLACES), folder, lasting(LASTING)),
  );
  const isKilling = draw.uniform() < 0.5;
  if (isKilling) {
    const pid = await draw.pick(started).node.catch(() => undefined);
    await sleep(2_000 * draw.uniform());
    if (pid !== undefined) kill(pid, "SIGKILL");
  }
  const endings = await Promise.all(started.map(({ ending }) => ending));
  const ended = endings.filter(({ code }) => code === 0);
  if (!isKilling && ended.length === 0) return `none of them gets the run: ${endings[0].stderr}`;
  for (const ending of endings) {
    const isKilled = isKilling && wrongUnlessKilled(ending) === undefined;
    const wrong = isKilled ? undefined : refused(ending);
    if (wrong !== undefined) return wrong;
  }
  const { code, stderr } = await startIn(setting, "here", folder, lasting(LASTING)).ending;
  return code === 0 ? endsAs(folder, expected) : `the next one ends with ${code}: ${stderr}`;
}

/** Several begin a run without a name at once: each gets another name. */
async function oneDefaultName(setting: Setting): Promise<string | undefined> {
  const { disk, draw, expected } = setting;
  const folder = await disk.makeFolder();
  const args = lastingUnnamed(LASTING);
  const started = numbersTo(2 + draw.below(4)).map(() =>
    startIn(setting, draw.pick(ALL_PLACES), folder, args),
  );
  const endings = await Promise.all(started.map(({ ending }) => ending));
  for (const ending of endings) {
    if (ending.code !== 0) return `one ends with ${ending.code}: ${ending.stderr}`;
  }
  const out = path.join(folder, path.dirname(path.dirname(LAST)));
  const names = await readdir(out);
  if (names.length !== endings.length) return `${endings.length} runs are in ${names}`;
  for (const name of names) {
    const last = await readFile(path.join(out, name, path.basename(LAST)));
    if (!last.equals(expected)) return `the run ${name} ends with other bytes`;
  }
  await rm(folder, { recursive: true });
  return undefined;
}

async function endsAs(
  folder: string,
  expected: Buffer,
  mostStray = 0,
): Promise<string | undefined> {
  const wrong = await wrongIn(folder, LASTING, expected, mostStray);
  await rm(folder, { recursive: true });
  return wrong;
}

/**
 * What is wrong with how a process ended that wanted a run which another may have had.
 *
 * @param number of the process that has it, if that is known
 */
function refused(ending: Ending, number?: number): string | undefined {
  const { code, stderr } = ending;
  const crash = crashOf(ending);
  if (crash !== undefined || code === 0) return crash;
  const [, holder] =
    /^Error: The run run is being trained by process (\d+)( (of another container )?on \S+)?\.$/m.exec(
      stderr,
    ) ?? [];
  if (code !== 1 || holder === undefined) return `it ends with ${code}: ${stderr}`;
  return number === undefined || Number(holder) === number
    ? undefined
    : `it names another process than ${number}: ${stderr}`;
}

/** The unshare around a process that is killed ends in one way or another, without an error of charnn. */
function wrongUnlessKilled({ code, stderr }: Ending): string | undefined {
  const isKilled = code !== 0 && !/^Error: /m.test(stderr);
  return isKilled ? undefined : `it was not killed, and ends with ${code}: ${stderr}`;
}

function stopAt({ faultyCalls = "" }: Campaign, call: number): Record<string, string> {
  return {
    LD_PRELOAD: faultyCalls,
    FAULT_IN: path.dirname(LAST),
    FAULT_AT: `${call}`,
    FAULT_DO: "stop",
    FAULT_ON: "owrscm",
  };
}

/** The name that only one lock ever has. */
async function lockIn(folder: string): Promise<string> {
  const names = await readdir(path.join(folder, path.dirname(LAST), ".lock")).catch(() => []);
  return names.join();
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
