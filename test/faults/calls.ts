/** Calls of the system that fail, do half, or are the last before a kill. */
import { readFile, rm, stat } from "node:fs/promises";
import path from "node:path";
import {
  type Campaign,
  LAST,
  place,
  RESUME,
  resumesTo,
  run,
  type Tally,
  TRAIN,
  unbroken,
} from "./campaign.js";

const MOST_CALLS = 5_000;
const LOG = "faults.log";

interface Fault {
  /** See faulty-calls.c. */
  readonly what: string;
  readonly on: string;
  readonly always?: boolean;
  readonly name: string;
}

const KILLS: Fault[] = [
  { name: "killed before", what: "kill", on: "owrscm" },
  { name: "killed after", what: "killed", on: "owrscm" },
];

const FAILURES: Fault[] = [
  { name: "EIO", what: "5", on: "owrscm" },
  { name: "ENOSPC", what: "28", on: "wms" },
  { name: "EDQUOT", what: "122", on: "wms" },
  { name: "EMFILE", what: "24", on: "o" },
  { name: "EACCES", what: "13", on: "om" },
].flatMap((fault) => [
  { ...fault, name: `${fault.name} once` },
  { ...fault, name: `${fault.name} for good`, always: true },
]);
const SHORT: Fault = { name: "short", what: "short", on: "wr", always: false };

export async function killsAtCalls(campaign: Campaign, tally: Tally): Promise<void> {
  await everyCall(campaign, tally, KILLS, (ending) =>
    ending.signal === "SIGKILL" ? undefined : `it ended with ${ending.code} and was not killed`,
  );
}

export async function failingCalls(campaign: Campaign, tally: Tally): Promise<void> {
  await everyCall(campaign, tally, [...FAILURES, SHORT], ({ code, signal, stderr }) => {
    if (signal) return `it was ended by ${signal}`;
    if (/^ +at /m.test(stderr) || /bug in charnn/.test(stderr)) return `a stack: ${stderr}`;
    return code === 0 || stderr.trim() !== ""
      ? undefined
      : `it ended with ${code} and says nothing`;
  });
}

/** Each call of a training and of a resume, from the first to the last. */
async function everyCall(
  campaign: Campaign,
  tally: Tally,
  faults: readonly Fault[],
  judge: (ending: Awaited<ReturnType<typeof run>>) => string | undefined,
): Promise<void> {
  const expected = await unbroken(campaign);
  const started = await startedRun(campaign);
  for (const fault of faults) {
    for (const [name, args, from] of [
      ["train", TRAIN, undefined],
      ["resume", RESUME, started],
    ] as const) {
      // Every call in the long form; else each fault at some of them, another's at others.
      const stride = campaign.long ? 1 : faults.length > KILLS.length ? 17 : 5;
      const first = campaign.long ? 1 : 1 + (faults.indexOf(fault) % stride);
      for (let call = first; call < MOST_CALLS; call += stride) {
        const folder = await place(campaign, from);
        const ending = await run(folder, args, { env: environment(campaign, folder, fault, call) });
        const isHit = await readFile(path.join(folder, LOG)).catch(() => undefined);
        if (!isHit) break;
        await tally.attempt(`${name}, ${fault.name}, K=${call}`, async () => {
          return judge(ending) ?? (await resumesTo(expected, folder));
        });
      }
    }
  }
}

/** The folder of a run that was killed after its first save. */
async function startedRun(campaign: Campaign): Promise<string> {
  for (let call = 60; call < MOST_CALLS; call += 10) {
    const folder = await place(campaign);
    const { signal } = await run(folder, TRAIN, {
      env: environment(campaign, folder, KILLS[0], call),
    });
    if (signal === null) break;
    await rm(path.join(folder, LOG));
    const isSaved = await stat(path.join(folder, LAST)).catch(() => undefined);
    if (isSaved) return folder;
  }
  throw new Error("No kill left a run with a last checkpoint.");
}

function environment(
  { faultyCalls = "" }: Campaign,
  folder: string,
  { what, on, always = false }: Fault,
  call: number,
): Record<string, string> {
  return {
    LD_PRELOAD: faultyCalls,
    FAULT_IN: "checkpoints/",
    FAULT_AT: `${call}`,
    FAULT_DO: what,
    FAULT_ON: on,
    FAULT_LOG: path.join(folder, LOG),
    ...(always && { FAULT_ALWAYS: "1" }),
  };
}
