/** The campaign of faults: `npm run test:faults -- --help`. */
import { spawnSync } from "node:child_process";
import { rm } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { selectBackend } from "#src/backends/select.js";
import { CharnnError } from "#src/errors.js";
import { besideWriters } from "./beside-writers.js";
import { failingCalls, killsAtCalls } from "./calls.js";
import { BACKEND, type Campaign, scratchFolder, Tally } from "./campaign.js";
import { fullDisk } from "./full-disk.js";
import { hostile } from "./hostile.js";
import { locks } from "./locks.js";
import { memory } from "./memory.js";
import { mutations } from "./mutations.js";
import { type CampaignOptions, readOptions, USAGE, UsageError } from "./options.js";
import { ProgressLine } from "./progress-line.js";
import { randomKills } from "./random-kills.js";
import { mutatedFiles } from "./readers.js";
import { signals } from "./signals.js";
import { addedTo, durationOf, type Figures, figuresOf, tableOf } from "./totals.js";

interface Kind {
  readonly name: string;
  readonly run: (campaign: Campaign, tally: Tally) => Promise<void>;
  /** Whether it takes a library that makes calls fail. */
  readonly needsFaults?: boolean;
}

const KINDS: readonly Kind[] = [
  { name: "kills at random times", run: randomKills },
  { name: "kills at a call", run: killsAtCalls, needsFaults: true },
  { name: "failing and short calls", run: failingCalls, needsFaults: true },
  { name: "full disk", run: fullDisk },
  { name: "locks across namespaces", run: locks },
  { name: "readers beside writers", run: besideWriters },
  { name: "hostile texts and names", run: hostile },
  { name: "memory over long runs", run: memory },
  { name: "mutated checkpoints", run: mutations },
  { name: "other mutated files", run: mutatedFiles },
  { name: "signals", run: signals },
];

const INTERRUPTED = 130;

/** Compiles what makes calls fail. */
function compiled(scratch: string): string | undefined {
  const source = fileURLToPath(new URL("../../test/faults/faulty-calls.c", import.meta.url));
  const library = path.join(scratch, "faulty-calls.so");
  const args = ["-shared", "-fPIC", "-O1", source, "-o", library, "-ldl"];
  const isThere = process.platform === "linux" && spawnSync("cc", args).status === 0;
  return isThere ? library : undefined;
}

function chosenKinds(only: readonly string[]): Kind[] {
  for (const part of only) {
    if (KINDS.some(({ name }) => name.includes(part))) continue;
    const names = KINDS.map(({ name }) => `  ${name}`).join("\n");
    throw new UsageError(`--only "${part}" is in the name of no kind. There are:\n${names}`);
  }
  return KINDS.filter(({ name }) => only.length === 0 || only.some((part) => name.includes(part)));
}

async function tryKinds(kinds: readonly Kind[], options: CampaignOptions): Promise<Tally[]> {
  const { long, seed, part } = options;
  const scratch = await scratchFolder();
  const endings = [() => rm(scratch, { recursive: true, force: true })] as (() => unknown)[];
  const end = async () => {
    for (const action of endings.splice(0)) await action();
  };
  const tallies: Tally[] = [];
  process.once("SIGINT", async () => {
    console.log(tableOf(tallies.map((tally) => figuresOf(tally, settingOf(options)))));
    await end();
    process.exit(INTERRUPTED);
  });
  const faultyCalls = compiled(scratch);
  const after = (action: () => unknown) => void endings.unshift(action);
  const campaign: Campaign = { long, seed, part, scratch, faultyCalls, after };
  const line = new ProgressLine();
  try {
    for (const { name, run, needsFaults = false } of kinds) {
      const tally = new Tally(name, line);
      tallies.push(tally);
      if (needsFaults && !faultyCalls) tally.skip("it takes Linux and a C compiler");
      else await timed(campaign, tally, run);
      line.say(summaryOf(tally));
    }
  } finally {
    await end();
  }
  return tallies;
}

async function timed(campaign: Campaign, tally: Tally, run: Kind["run"]): Promise<void> {
  const start = performance.now();
  try {
    await run(campaign, tally);
    const mayBeNothing = tally.skipped !== undefined || campaign.part.of > 1;
    if (tally.tried === 0 && !mayBeNothing) {
      tally.fail("all of it", "nothing was tried");
    }
  } catch (error) {
    tally.fail("all of it", `the campaign broke: ${(error as Error).stack}`);
  }
  tally.seconds = (performance.now() - start) / 1_000;
}

function summaryOf({ kind, tried, survived, seconds, skipped }: Tally): string {
  return skipped === undefined
    ? `${kind}: ${survived} of ${tried} survived, ${durationOf(seconds)}`
    : `${kind}: skipped, ${skipped}`;
}

function settingOf({ long, seed, part }: CampaignOptions): Pick<Figures, "seed" | "long" | "part"> {
  return { long, seed, part: `${part.index}/${part.of}` };
}

/** @returns the exit code */
async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const kinds = chosenKinds(options.only);
  if (options.list) {
    for (const { name } of kinds) console.log(name);
    return 0;
  }
  // With an addon that was compiled before the last change of its functions, all kinds would fail.
  await selectBackend(BACKEND);
  const tallies = await tryKinds(kinds, options);
  const own = tallies.map((tally) => figuresOf(tally, settingOf(options)));
  const figures = options.totals === undefined ? own : await addedTo(options.totals, own);
  console.log(options.json ? JSON.stringify(figures) : tableOf(figures));
  return own.some(({ tried, survived }) => survived < tried) ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) {
    console.error(`Error: ${error.message}\nSee npm run test:faults -- --help.`);
    process.exitCode = 2;
  } else if (error instanceof CharnnError) {
    console.error(`Error: ${error.message}${error.hint ? `\n${error.hint}` : ""}`);
    process.exitCode = 1;
  } else {
    throw error;
  }
}
