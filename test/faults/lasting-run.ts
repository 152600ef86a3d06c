/** A run that lasts for some seconds and saves all the time, for what other processes do meanwhile. */
import type { ChildProcess } from "node:child_process";
import { access, readdir, readFile, readlink, realpath } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { jsonLines } from "../helpers/executable.js";
import { BACKEND, type Campaign, LAST, place, run } from "./campaign.js";

const MAX_MILLISECONDS = 60_000;
const MILLISECONDS_BETWEEN_LOOKS = 20;

/** How such a run is trained. */
export interface Lasting {
  readonly steps: number;
  readonly saveEvery: number;
  readonly backend: string;
}

export const LASTING: Lasting = { steps: 400, saveEvery: 4, backend: BACKEND };

/** Begins it under a name that is chosen for it. */
export function lastingUnnamed({ steps, saveEvery, backend }: Lasting): string[] {
  return [
    ...["train", "text.txt", "--hidden-size", "8", "--batch-size", "4", "--seq-length", "16"],
    ...["--steps", `${steps}`, "--save-every", `${saveEvery}`, "--eval-every", "100"],
    ...["--threads", "1", "--backend", backend],
  ];
}

/** Begins it, or resumes it where it has begun. */
export function lasting(settings: Lasting): string[] {
  return [...lastingUnnamed(settings), "--name", "run", "--resume"];
}

/** What its last checkpoint holds when nothing comes between. */
export async function unbrokenLasting(campaign: Campaign, settings: Lasting): Promise<Buffer> {
  const folder = await place(campaign);
  const { code, stderr } = await run(folder, lasting(settings));
  if (code !== 0) throw new Error(stderr);
  return readFile(path.join(folder, LAST));
}

/**
 * What is wrong with a run that has ended, if something is.
 *
 * @param mostStray lines of metrics that a process may have written which then found that it had lost the run
 */
export async function wrongIn(
  folder: string,
  { steps }: Lasting,
  expected: Buffer,
  mostStray = 0,
): Promise<string | undefined> {
  const last = await readFile(path.join(folder, LAST));
  if (!last.equals(expected)) return "the run ends with other bytes";
  const metrics = await readFile(path.join(folder, path.dirname(LAST), "metrics.jsonl"), "utf8");
  const told = jsonLines(metrics).flatMap(({ event, step }) => (event === "step" ? [step] : []));
  if (new Set(told).size !== steps || told.length > steps + mostStray) {
    return `${told.length} reports of ${new Set(told).size} steps, not of ${steps}`;
  }
  const names = await readdir(path.join(folder, path.dirname(LAST)));
  const left = names.filter((name) => name.startsWith("."));
  return left.length > 0 ? `it leaves ${left}` : undefined;
}

/** Waits until something is so. */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + MAX_MILLISECONDS;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`It takes too long until ${what}.`);
    await sleep(MILLISECONDS_BETWEEN_LOOKS);
  }
}

/** Waits for the first checkpoint of the run in a folder. */
export function untilSaved(folder: string): Promise<void> {
  return until("the run is saved", () =>
    access(path.join(folder, LAST)).then(
      () => true,
      () => false,
    ),
  );
}

/** The Node.js process that descends from a child, perhaps in another namespace. */
export async function nodeIn(child: ChildProcess): Promise<number> {
  const node = await realpath(process.execPath);
  let found: number | undefined;
  await until("the program is started", async () => {
    let pid = child.pid as number;
    for (;;) {
      if ((await readlink(`/proc/${pid}/exe`).catch(() => "")) === node) {
        found = pid;
        return true;
      }
      const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
      if (children.trim() === "") return false;
      pid = Number.parseInt(children, 10);
    }
  });
  return found as number;
}

/** The number by which a process knows itself, in its own namespace. */
export async function ownNumber(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^NSpid:.*?(\d+)$/m.exec(status)?.[1]);
}

/** Whether a process is stopped, and not running or asleep. */
export async function isStopped(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return / T /.test(stat.slice(stat.lastIndexOf(")")));
}
