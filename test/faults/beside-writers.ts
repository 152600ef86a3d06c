/** Commands that read a run while it is trained, saved after each step, killed and resumed. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { listCheckpoints, loadCheckpoint, readMetrics } from "#src/index.js";
import { jsonLines } from "../helpers/executable.js";
import type { Draw } from "../helpers/numbers.js";
import {
  BACKEND,
  type Campaign,
  caseDraw,
  type Ending,
  LAST,
  numbersTo,
  partOf,
  place,
  run,
  type Tally,
} from "./campaign.js";
import { type Lasting, lasting, unbrokenLasting, untilSaved, wrongIn } from "./lasting-run.js";

/** Saved as often as can be. */
const RUN: Lasting = { steps: 800, saveEvery: 1, backend: BACKEND };
const CHARACTERS = 20;
const MAX_LIFE_MILLISECONDS = 4_000;
const KILLED_SHARE = 0.6;
const WATCHED = /^http:\S+/;

/** A command that reads the run. */
interface Reading {
  readonly args: readonly string[];
  /** Says what is wrong with what it writes. */
  wrong(stdout: string, folder: string): string | undefined | Promise<string | undefined>;
}

const READINGS: readonly Reading[] = [
  {
    args: ["info"],
    wrong: (stdout) => (/^ *run +\S/m.test(stdout) ? undefined : "it does not list the run"),
  },
  {
    args: ["info", "run", "--json"],
    wrong: (stdout) => wrongStep(JSON.parse(stdout).progress.step),
  },
  {
    args: [
      "sample",
      "run",
      "-n",
      `${CHARACTERS}`,
      "--seed",
      "The ",
      "--random-seed",
      "1",
      "--json",
    ],
    wrong: (stdout) => {
      const [{ text }] = jsonLines(stdout);
      return typeof text === "string" && text.length >= CHARACTERS ? undefined : "no whole text";
    },
  },
  {
    args: ["eval", "run", "text.txt", "--json", "--no-baselines"],
    wrong: (stdout) => {
      const [{ loss }] = jsonLines(stdout);
      return loss > 0 && loss < 10 ? undefined : `a loss of ${loss}`;
    },
  },
  {
    args: ["score", "run", "text.txt", "--json"],
    wrong: (stdout) => (jsonLines(stdout).length === 20 ? undefined : "not a line of each"),
  },
  {
    args: ["plot", "run", "--json"],
    wrong: (stdout) => {
      const [{ points }] = jsonLines(stdout);
      return wrongStep(points.at(-1).step);
    },
  },
  {
    args: ["report", "run", "--overwrite", "--output", "page.html"],
    wrong: async (_, folder) => {
      const page = await readFile(path.join(folder, "page.html"), "utf8");
      return page.includes("</html>") ? undefined : "the page has no end";
    },
  },
  {
    args: [
      ...["train", "text.txt", "--name", "other", "--overwrite", "--init-from", "run", "--steps"],
      ...["1", "--hidden-size", "8", "--backend", BACKEND, "--json"],
    ],
    wrong: (stdout) => (jsonLines(stdout).at(-1).event === "end" ? undefined : "it does not end"),
  },
];

export async function besideWriters(campaign: Campaign, tally: Tally): Promise<void> {
  const expected = await unbrokenLasting(campaign, RUN);
  for (const number of partOf(campaign, numbersTo(campaign.long ? 200 : 1))) {
    await besideOne(campaign, tally, number, expected);
  }
}

/** One run from its beginning to its end. */
async function besideOne(
  campaign: Campaign,
  tally: Tally,
  number: number,
  expected: Buffer,
): Promise<void> {
  const folder = await place(campaign);
  const named = `seed ${campaign.seed}, number ${number}`;
  const draw = caseDraw(campaign.seed, number);
  let hasEnded = false;
  const writing = tally
    .attempt(`${named}, the run itself`, () => written(folder, draw, expected))
    .finally(() => {
      hasEnded = true;
    });
  await untilSaved(folder);
  const read = async (attempt: () => Promise<void>) => {
    while (!hasEnded) await attempt();
  };
  const commands = draw.shuffled(READINGS);
  let next = 0;
  await Promise.all([
    writing,
    read(() => {
      const reading = commands[next++ % commands.length];
      const repeat = `${named}, charnn ${reading.args.join(" ")}`;
      return tally.attempt(repeat, () => readBy(reading, folder));
    }),
    read(async () => {
      await tally.attempt(`${named}, by the library`, () => readByLibrary(folder));
      await sleep(10);
    }),
    watchedBeside(tally, `${named}, report --watch`, folder, read),
  ]);
  await rm(folder, { recursive: true });
}

/** Trains the run to its end, killed and resumed on the way. */
async function written(folder: string, draw: Draw, expected: Buffer): Promise<string | undefined> {
  let ending: Ending;
  do {
    const isKilled = draw.uniform() < KILLED_SHARE;
    const life = 500 + MAX_LIFE_MILLISECONDS * draw.uniform();
    ending = await run(folder, lasting(RUN), {
      onStart: (child) => {
        if (isKilled) setTimeout(() => child.kill("SIGKILL"), life).unref();
      },
    });
  } while (ending.signal === "SIGKILL");
  const { code, stderr } = ending;
  return code === 0 ? wrongIn(folder, RUN, expected) : `it ends with ${code}: ${stderr}`;
}

async function readBy({ args, wrong }: Reading, folder: string): Promise<string | undefined> {
  const { code, signal, stdout, stderr } = await run(folder, args);
  if (code !== 0) return `it ends with ${code ?? signal}: ${stderr}`;
  return wrongWords(stderr) ?? (await wrong(stdout, folder));
}

async function readByLibrary(folder: string): Promise<string | undefined> {
  const out = path.join(folder, path.dirname(path.dirname(LAST)));
  const { progress } = await loadCheckpoint("run", { out });
  const { steps } = await readMetrics("run", out);
  const listed = (await listCheckpoints({ out })).filter(({ path: file }) => /\brun\b/.test(file));
  const wrong = wrongStep(progress.step) ?? wrongStep(steps.at(-1)?.step);
  if (wrong !== undefined) return wrong;
  return listed.length === 1 ? undefined : `${listed.length} runs are listed`;
}

/** A page of `report --watch`, requested repeatedly while it is served. */
async function watchedBeside(
  tally: Tally,
  repeat: string,
  folder: string,
  read: (attempt: () => Promise<void>) => Promise<void>,
): Promise<void> {
  let child: ChildProcess | undefined;
  const ending = run(folder, ["report", "run", "--watch"], {
    onStart: (started) => {
      child = started;
    },
  });
  const address = await addressOf(child as unknown as ChildProcess);
  await read(async () => {
    await tally.attempt(repeat, async () => {
      const answer = await fetch(address);
      const page = await answer.text();
      return page.includes("</html>") ? undefined : `it answers ${answer.status}: ${page}`;
    });
    await sleep(100);
  });
  child?.kill("SIGINT");
  const { code, stderr } = await ending;
  await tally.attempt(`${repeat}, its end`, async () =>
    code === 130 ? wrongWords(stderr) : `it ends with ${code}: ${stderr}`,
  );
}

async function addressOf(child: ChildProcess): Promise<string> {
  let said = "";
  child.stdout?.on("data", (bytes) => {
    said += bytes;
  });
  while (!WATCHED.test(said)) await once(child.stdout as NodeJS.EventEmitter, "data");
  return said.trim();
}

/** What a reader of a sound run must not say. */
function wrongWords(stderr: string): string | undefined {
  return /damaged|can't be read|no longer|bug in/.test(stderr) ? stderr : undefined;
}

function wrongStep(step: unknown): string | undefined {
  const isStep = typeof step === "number" && step >= 1 && step <= RUN.steps;
  return isStep ? undefined : `step ${step}`;
}
