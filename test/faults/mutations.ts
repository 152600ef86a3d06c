/** Checkpoints that are damaged, or made to do harm: refused, or read for what they say. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Campaign,
  crashOf,
  LAST,
  numbersTo,
  onAllCores,
  partOf,
  place,
  RESUME,
  run,
  type Tally,
  TRAIN,
} from "./campaign.js";
import { mutationsIn } from "./mutation-cases.js";
import type { Said } from "./mutation-reader.js";

/** Those of one reader: a new one begins with little memory. */
const PER_READER = 10_000;
const HANG_MILLISECONDS = 60_000;
/** Some runs are right to go on for ever, such as one with a million batches a step. */
const INTERRUPT_MILLISECONDS = 10_000;
const EARLIER = fileURLToPath(
  new URL("../../test/fixtures/earlier-checkpoint.safetensors", import.meta.url),
);
const KINDS = [[], ["--cell", "lstm", "--layers", "2", "--average-decay", "0", "--min-count", "3"]];

export async function mutations(campaign: Campaign, tally: Tally): Promise<void> {
  const folder = path.join(campaign.scratch, "mutations");
  await mkdir(folder);
  await copyFile(EARLIER, path.join(folder, "original-earlier.safetensors"));
  for (const [index, settings] of KINDS.entries()) {
    const work = await place(campaign);
    const { code, stderr } = await run(work, [...TRAIN, ...settings]);
    if (code !== 0) throw new Error(stderr);
    await copyFile(path.join(work, LAST), path.join(folder, `original-${index}.safetensors`));
  }
  const count = campaign.long ? 1_000_000 : 6_000;
  const starts = numbersTo(Math.ceil(count / PER_READER)).map((part) => (part - 1) * PER_READER);
  await onAllCores(partOf(campaign, starts), (start) =>
    readInProcess(campaign, tally, folder, start, Math.min(count, start + PER_READER)),
  );
  await byTheExecutable(campaign, tally, folder);
}

/** In a process that is started again after one that was too much for it. */
async function readInProcess(
  { seed }: Campaign,
  tally: Tally,
  folder: string,
  first: number,
  end: number,
): Promise<void> {
  const cases = await mutationsIn(folder, seed);
  const program = fileURLToPath(new URL("mutation-reader.js", import.meta.url));
  for (let next = first; next < end; ) {
    const reader = fork(program, [folder, `${seed}`, `${next}`, `${end}`], {
      execArgv: ["--max-old-space-size=128", "--max-semi-space-size=4"],
    });
    let watchdog: NodeJS.Timeout | undefined;
    let reading: number | undefined;
    let wrong: string | undefined;
    const finish = () => {
      if (reading === undefined) return;
      const repeat = `seed ${seed}, number ${reading} (${cases(reading).what})`;
      if (wrong === undefined) tally.pass();
      else tally.fail(repeat, wrong);
      wrong = undefined;
    };
    reader.on("message", (said: Said) => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => reader.kill("SIGKILL"), HANG_MILLISECONDS);
      if ("wrong" in said) {
        wrong = said.wrong;
      } else {
        finish();
        reading = said.next < end ? said.next : undefined;
      }
    });
    const [code, signal] = await once(reader, "exit");
    clearTimeout(watchdog);
    if (reading === undefined && code !== 0)
      throw new Error(`A reader ended with ${code ?? signal}.`);
    wrong ??= `the process ended with ${code ?? signal}`;
    next = (reading ?? end) + 1;
    finish();
  }
}

/** All that read a checkpoint. */
const COMMANDS = [
  RESUME,
  ["info", "run"],
  ["sample", "run", "-n", "9"],
  ["eval", "run", "text.txt", "--threads", "1"],
  ["report", "run"],
  ["export", "run", "--to", "onnx"],
  ["train", "text.txt", "--name", "other", "--init-from", "run", "--steps", "1", "--threads", "1"],
];

/** A sample of them by each of these. */
async function byTheExecutable(campaign: Campaign, tally: Tally, folder: string): Promise<void> {
  const { seed } = campaign;
  const cases = await mutationsIn(folder, seed);
  const sample = partOf(campaign, numbersTo(campaign.long ? 3_000 : 3 * COMMANDS.length));
  await onAllCores(sample, async (number) => {
    const { what, bytes } = cases(number);
    const work = await place(campaign);
    await mkdir(path.dirname(path.join(work, LAST)), { recursive: true });
    await writeFile(path.join(work, LAST), bytes);
    const args = COMMANDS[number % COMMANDS.length];
    const repeat = `seed ${seed}, number ${number} by charnn ${args[0]} (${what})`;
    await tally.attempt(repeat, async () => {
      const ending = await run(work, args, {
        onStart: (child) => setTimeout(() => child.kill("SIGINT"), INTERRUPT_MILLISECONDS).unref(),
      });
      return ending.code === 130 ? undefined : crashOf(ending);
    });
    await rm(work, { recursive: true });
  });
}
