/** A file system that is full, or gets full while something is written. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, statfs, writeFile } from "node:fs/promises";
import path from "node:path";
import { readCheckpoint } from "#src/checkpoint/checkpoint.js";
import { jsonLines } from "../helpers/executable.js";
import { type Mounts, mounted } from "../helpers/namespaces.js";
import {
  type Campaign,
  caseDraw,
  crashOf,
  type Ending,
  LAST,
  numbersTo,
  partOf,
  RESUME,
  run,
  startedRun,
  type Tally,
  TRAIN,
  unbroken,
} from "./campaign.js";

const PAGE = 4_096;
const METRICS = path.join(path.dirname(LAST), "metrics.jsonl");

/** Where commands write that write to a file. */
const OUTPUT = "output";

/** What is tried, and the most that it writes: pages, and files. */
const COMMANDS = [
  { name: "train", args: TRAIN, pages: 45, files: 10 },
  { name: "train for TensorBoard", args: [...TRAIN, "--tensorboard"], pages: 45, files: 10 },
  { name: "resume", args: RESUME, pages: 30, files: 4 },
  { name: "report", args: ["report", "run"], pages: 40, files: 2 },
  { name: "export", args: ["export", "run", "--to", "onnx"], pages: 20, files: 2 },
  { name: "sample > FILE", args: ["sample", "run", "-n", "9000"], pages: 4, files: 1 },
  { name: "train --json > FILE", args: [...TRAIN, "--json"], pages: 45, files: 10 },
] as const;

/** A small file system, of which some is left. */
interface Disk extends Mounts {
  /** Where it is in its own namespace. */
  readonly path: string;
}

interface Case {
  readonly command: (typeof COMMANDS)[number];
  readonly lacking: "space" | "files";
  /** Pages or files for which there is room. */
  readonly room: number;
}

export async function fullDisk(campaign: Campaign, tally: Tally): Promise<void> {
  const disk = await smallDisk(campaign);
  if (!disk) return tally.skip("no file system can be mounted here");
  const started = await startedRun(campaign);
  const expected = await unbroken(campaign);
  const cases = partOf(campaign, campaign.long ? everyCase() : someCases(campaign));
  for (const one of cases) {
    const { command, lacking, room } = one;
    await tally.attempt(`${command.name}, room for ${room} of ${lacking}`, () =>
      tryCase(disk, one, started, expected),
    );
  }
}

function everyCase(): Case[] {
  return COMMANDS.flatMap((command) =>
    (["space", "files"] as const).flatMap((lacking) => {
      const most = lacking === "space" ? command.pages : command.files;
      return [0, ...numbersTo(most)].map((room) => ({ command, lacking, room }));
    }),
  );
}

function someCases({ seed }: Campaign): Case[] {
  return COMMANDS.flatMap((command, index) => {
    const draw = caseDraw(seed, index);
    const space = draw.below(command.pages);
    return [
      { command, lacking: "space", room: space },
      { command, lacking: "files", room: draw.below(command.files) },
    ] as const;
  });
}

async function tryCase(
  disk: Disk,
  { command, lacking, room }: Case,
  started: string,
  expected: Buffer,
): Promise<string | undefined> {
  const work = await mkdtemp(path.join(disk.root, disk.path, "case-"));
  const inside = work.slice(disk.root.length);
  const isNew = command.args[0] === "train" && command.args !== RESUME;
  await cp(started, work, {
    recursive: true,
    filter: (file) => !isNew || !/checkpoints/.test(file),
  });
  await writeFile(path.join(work, OUTPUT), "");
  try {
    await fill(disk, lacking, room);
    const ending = await runThere(disk, inside, command);
    const wrong = judged(ending) ?? (await isSound(work, !isNew));
    if (wrong !== undefined) return wrong;
    await makeRoom(disk);
    const again = isNew ? RESUME : command.args;
    const { code, stderr } = await runThere(disk, inside, { ...command, args: again });
    if (code !== 0) return `with room it ends with ${code}: ${stderr}`;
    if (command.args[0] !== "train") return undefined;
    const last = await readFile(path.join(work, LAST));
    return last.equals(expected) ? undefined : "the resumed run ends with other bytes";
  } finally {
    await makeRoom(disk);
    await rm(work, { recursive: true });
  }
}

/** Commands whose result goes to a file have that on the disk too. */
function runThere(
  disk: Disk,
  folder: string,
  { name, args }: { readonly name: string; readonly args: readonly string[] },
): Promise<Ending> {
  const toFile = name.endsWith("> FILE") ? ["sh", "-c", `exec "$@" > ${OUTPUT}`, "sh"] : [];
  return run("/", args, { words: [...disk.words, folder, ...toFile] });
}

/** What is wrong with how a command ended; it may have had room enough. */
function judged(ending: Ending): string | undefined {
  const { code, stderr } = ending;
  const crash = crashOf(ending);
  if (crash !== undefined || code === 0) return crash;
  if (code !== 1) return `it ends with ${code}: ${stderr}`;
  const [first, ...more] = stderr.match(/disk is full|no space|ENOSPC|bytes|quota/gi) ?? [];
  const isFirst = /^Error: .+ can't be written: the disk is full\.$/.test(
    stderr.split("\n").find((line) => line.startsWith("Error:")) ?? "",
  );
  if (first && more.length === 0 && isFirst) return undefined;
  return `it does not say once, and first, that the disk is full: ${stderr}`;
}

/** What was there before is there, and nothing is half-written. */
async function isSound(work: string, hasRun: boolean): Promise<string | undefined> {
  const names = await readdir(work, { recursive: true });
  const left = names.filter((name) => name.endsWith(".tmp"));
  if (left.length > 0) return `it leaves ${left}`;
  if (!names.includes("text.txt") || (hasRun && !names.includes(LAST))) return "a file is gone";
  for (const name of names.filter((it) => it.endsWith(".safetensors"))) {
    await readCheckpoint(path.join(work, name));
  }
  if (names.includes(METRICS)) jsonLines(await readFile(path.join(work, METRICS), "utf8"));
  return undefined;
}

async function smallDisk(campaign: Campaign): Promise<Disk | undefined> {
  const folder = path.join(campaign.scratch, "disk");
  await mkdir(folder);
  const mounts = await mounted(campaign, `mount -t tmpfs -o size=2m,nr_inodes=150 none ${folder}`);
  return mounts && { ...mounts, path: folder };
}

/** Fills the disk up to `room` pages or files. */
async function fill(disk: Disk, lacking: Case["lacking"], room: number): Promise<void> {
  const filler = path.join(disk.root, disk.path, "filler");
  await mkdir(filler);
  const { bavail, bsize, ffree } = await statfs(filler);
  if (lacking === "space") {
    await writeFile(path.join(filler, "0"), Buffer.alloc(bavail * bsize - room * PAGE));
  } else {
    const names = numbersTo(ffree - room).map((number) => path.join(filler, `${number}`));
    for (const name of names) await writeFile(name, "");
  }
}

async function makeRoom(disk: Disk): Promise<void> {
  await rm(path.join(disk.root, disk.path, "filler"), { recursive: true, force: true });
}
