/** The campaign of faults: `npm run test:faults -- [--long] [--json] [--seed N] [--only KIND]`. */
import { spawnSync } from "node:child_process";
import { rm } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { failingCalls, killsAtCalls } from "./calls.js";
import { type Campaign, scratchFolder, Tally } from "./campaign.js";
import { fullDisk } from "./full-disk.js";
import { mutations } from "./mutations.js";
import { randomKills } from "./random-kills.js";
import { mutatedFiles } from "./readers.js";

const KINDS = [
  { name: "kills at random times", run: randomKills, needsFaults: false },
  { name: "kills at a call", run: killsAtCalls, needsFaults: true },
  { name: "failing and short calls", run: failingCalls, needsFaults: true },
  { name: "full disk", run: fullDisk, needsFaults: false },
  { name: "mutated checkpoints", run: mutations, needsFaults: false },
  { name: "other mutated files", run: mutatedFiles, needsFaults: false },
];

/** Compiles what makes calls fail. */
function compiled(scratch: string): string | undefined {
  const source = fileURLToPath(new URL("../../test/faults/faulty-calls.c", import.meta.url));
  const library = path.join(scratch, "faulty-calls.so");
  const args = ["-shared", "-fPIC", "-O1", source, "-o", library, "-ldl"];
  const isThere = process.platform === "linux" && spawnSync("cc", args).status === 0;
  return isThere ? library : undefined;
}

const { values } = parseArgs({
  options: {
    long: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: "" },
  },
});
const scratch = await scratchFolder();
const faultyCalls = compiled(scratch);
const endings = [() => rm(scratch, { recursive: true, force: true })] as (() => unknown)[];
const campaign: Campaign = {
  long: values.long,
  seed: Number(values.seed),
  scratch,
  faultyCalls,
  after: (action) => endings.unshift(action),
};
const tallies: Tally[] = [];
try {
  for (const { name, run, needsFaults } of KINDS) {
    if (!name.includes(values.only)) continue;
    if (needsFaults && !faultyCalls) {
      console.error(`Skipped, since it takes Linux and a C compiler: ${name}`);
      continue;
    }
    const tally = new Tally(name);
    await run(campaign, tally);
    tallies.push(tally);
  }
} finally {
  for (const end of endings) await end();
}
if (values.json) {
  console.log(JSON.stringify(tallies));
} else {
  console.log("| kind | tried | survived |\n|---|---:|---:|");
  for (const { kind, tried, survived } of tallies)
    console.log(`| ${kind} | ${tried} | ${survived} |`);
}
if (tallies.some(({ tried, survived }) => survived < tried)) process.exitCode = 1;
