/** Calls of the system that fail, do half, or are the last before a kill. */
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import {
  type Campaign,
  crashOf,
  type Ending,
  LAST,
  onAllCores,
  place,
  RESUME,
  resumesTo,
  run,
  startedRun,
  type Tally,
  TRAIN,
  unbroken,
} from "./campaign.js";

const MAX_CALLS = 5_000;
const LOG = "faults.log";

interface Fault {
  readonly name: string;
  /** See faulty-calls.c. */
  readonly what: string;
  readonly on: string;
  /** A part of the paths that count. */
  readonly in: string;
  readonly always?: boolean;
  /** The sentence that a command ends with because of it; where there is none, the command goes on. */
  readonly says?: string;
}

/** What was done at a call. */
interface Hit {
  readonly call: string;
  readonly path: string;
}

const RUNS = "checkpoints/";
const KILLS: Fault[] = [
  { name: "killed before", what: "kill", on: "owrscm", in: RUNS },
  { name: "killed after", what: "killed", on: "owrscm", in: RUNS },
];

const FAILURES: Fault[] = [
  { name: "EIO", what: "5", on: "owrscm", in: RUNS, says: "the disk reports an error (EIO)" },
  { name: "ESTALE", what: "116", on: "owrscm", in: RUNS, says: "(stale file handle)" },
  { name: "ENOSPC", what: "28", on: "owscm", in: RUNS, says: "the disk is full" },
  { name: "EDQUOT", what: "122", on: "owscm", in: RUNS, says: "your disk quota is used up" },
  { name: "EROFS", what: "30", on: "om", in: RUNS, says: "the file system is read-only" },
  { name: "EACCES", what: "13", on: "om", in: RUNS, says: "permission is denied" },
  {
    ...{ name: "EMFILE", what: "24", on: "o", in: RUNS },
    says: "this process has too many files open",
  },
  {
    ...{ name: "EIO of the text", what: "5", on: "orc", in: "text.txt" },
    says: "the disk reports an error (EIO)",
  },
].flatMap((fault) => [
  { ...fault, name: `${fault.name} once` },
  { ...fault, name: `${fault.name} for good`, always: true },
]);
const SHORT: Fault[] = [
  { name: "short", what: "short", on: "wr", in: RUNS },
  { name: "short of the text", what: "short", on: "r", in: "text.txt" },
];

export async function killsAtCalls(campaign: Campaign, tally: Tally): Promise<void> {
  await everyCall(campaign, tally, KILLS, 17, (ending, folder, expected) =>
    ending.signal === "SIGKILL"
      ? resumesTo(expected, folder)
      : Promise.resolve(`it ended with ${ending.code} and was not killed`),
  );
}

export async function failingCalls(campaign: Campaign, tally: Tally): Promise<void> {
  await everyCall(
    campaign,
    tally,
    [...FAILURES, ...SHORT],
    113,
    async (ending, folder, expected, fault, hits) => {
      const wrong = crashOf(ending) ?? wrongReason(ending, fault, hits, folder);
      if (wrong !== undefined || ending.code !== 0) return wrong ?? resumesTo(expected, folder);
      // What failed was not needed.
      const last = await readFile(path.join(folder, LAST));
      await rm(folder, { recursive: true });
      return last.equals(expected) ? undefined : "it goes on, and ends with other bytes";
    },
  );
}

/** What is wrong with how a command says that a call has failed: the first one that mattered. */
function wrongReason(
  { code, stderr }: Ending,
  { says }: Fault,
  hits: readonly Hit[],
  folder: string,
): string | undefined {
  if (code === 0) return undefined;
  const errors = stderr.split("\n").filter((line) => line.startsWith("Error: "));
  if (code !== 1 || errors.length !== 1) return `it ends with ${code}: ${stderr}`;
  if (says === undefined || !errors[0].includes(says)) return `it does not say why: ${stderr}`;
  const paths = hits.map((hit) => path.relative(folder, path.resolve(folder, hit.path)));
  if (paths.some((concerned) => isNamed(concerned, errors[0]))) return undefined;
  return `it speaks of another file than ${hits[0].path} (${hits[0].call}): ${errors[0]}`;
}

/**
 * How a message may name what a call was made on: a temporary file by its final name, a folder by the
 * file in it for which it was synced.
 */
function isNamed(concerned: string, error: string): boolean {
  const file = concerned
    .replace(/\.([^/]+)\.[0-9a-f]{16}\.tmp$/, "$1")
    .replace(/\.lock[./].*$/, ".lock");
  return [`${file} can't be`, `${file}" can't be`, `${file}/`].some((name) => error.includes(name));
}

/**
 * Each call of a training and of a resume, from the first to the last.
 *
 * @param stride the short form takes every `stride`-th call, starting at another one for each fault
 */
async function everyCall(
  campaign: Campaign,
  tally: Tally,
  faults: readonly Fault[],
  stride: number,
  judge: (
    ending: Ending,
    folder: string,
    expected: Buffer,
    fault: Fault,
    hits: readonly Hit[],
  ) => Promise<string | undefined>,
): Promise<void> {
  const expected = await unbroken(campaign);
  const started = await startedRun(campaign);
  const commands = [
    { name: "train", args: TRAIN, from: undefined },
    { name: "resume", args: RESUME, from: started },
  ];
  const tasks = faults.flatMap((fault) => commands.map((command) => ({ fault, ...command })));
  await onAllCores(tasks.entries(), async ([index, { fault, name, args, from }]) => {
    const { long, seed, part } = campaign;
    const each = long ? 1 : stride;
    const first = long ? 1 : 1 + ((seed + 7 * index) % stride);
    const step = each * part.of;
    for (let call = first + each * (part.index - 1); call < MAX_CALLS; call += step) {
      const folder = await place(campaign, from);
      const ending = await run(folder, args, { env: environment(campaign, folder, fault, call) });
      const hits = await hitsIn(folder);
      if (hits.length === 0) {
        await rm(folder, { recursive: true });
        break;
      }
      await tally.attempt(`${name}, ${fault.name}, K=${call}`, () =>
        judge(ending, folder, expected, fault, hits),
      );
    }
  });
}

async function hitsIn(folder: string): Promise<Hit[]> {
  const log = await readFile(path.join(folder, LOG), "utf8").catch(() => "");
  await rm(path.join(folder, LOG), { force: true });
  return Array.from(log.matchAll(/^\d+ (\w) \w+ (.*)$/gm), ([, call, name]) => {
    return { call, path: name };
  });
}

function environment(
  { faultyCalls = "" }: Campaign,
  folder: string,
  { what, on, in: part, always = false }: Fault,
  call: number,
): Record<string, string> {
  return {
    LD_PRELOAD: faultyCalls,
    FAULT_IN: part,
    FAULT_AT: `${call}`,
    FAULT_DO: what,
    FAULT_ON: on,
    FAULT_LOG: path.join(folder, LOG),
    ...(always && { FAULT_ALWAYS: "1" }),
  };
}
