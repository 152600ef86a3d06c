/**
 * Uses the packages of other platforms on this machine, in emulators, as their users do: charnn doctor, a
 * training of 40 steps, one that is killed and resumed, a sample and an evaluation. Weights, text and figures
 * must be the same as here. A platform whose emulator is missing is skipped, with a line that says what to
 * install.
 *
 *     npm run native:package -- --all      # first: it makes the packages (for one: native:package -- win32-x64)
 *     npm run test:platforms               # all that can run here
 *     npm run test:platforms -- win32-x64  # one
 *
 * Node for each platform comes from npm and PyPI, into the user's cache folder. For macOS, and for Windows on
 * arm64, there is no emulator.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { NODE_ON, NotThere, nodeHere } from "./native/emulators.js";
import { PLATFORMS, thisPlatform } from "./native/platforms.js";
import { productionDependencies } from "./native/production-dependencies.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const packages = join(root, "native", "build", "package");
const here = thisPlatform();
const TRAIN =
  "train shakespeare.txt --hidden-size 64 --steps 40 --eval-every 20 --save-every 5 --threads 2 " +
  "--random-seed 7 --backend native";
const SAMPLE = "-n 300 --random-seed 7 --backend native";
/** Compressors are left out: not every system has them. */
const EVAL = "eval.txt --json --no-baselines --backend native";
/** More takes minutes in an emulator. */
const EVALUATED_CHARACTERS = 20_000;

/** A result that is not what it must be. */
class Failure extends Error {}

/**
 * An installed charnn with the addon of one platform, and texts. For this platform, the addon that set-up has
 * compiled will do.
 */
async function install(name, folder) {
  const addon = join(packages, `native-${name}`);
  const compiled = join("native", "build", name);
  const isPacked = existsSync(addon);
  if (!isPacked && !(name === here && existsSync(join(root, compiled, "charnn.node")))) {
    throw new NotThere(`npm run native:package -- ${name}`);
  }
  await cp(join(packages, "charnn"), folder, { recursive: true });
  for (const dependency of productionDependencies(root)) {
    await cp(dependency, join(folder, relative(root, dependency)), { recursive: true });
  }
  if (isPacked) {
    const installed = join(folder, "node_modules", "@charnn", `native-${name}`);
    await cp(addon, installed, { recursive: true });
  } else {
    await cp(join(root, compiled, "charnn.node"), join(folder, compiled, "charnn.node"));
  }
  const text = readFileSync(join(root, "data", "shakespeare.txt"), "utf8");
  writeFileSync(join(folder, "shakespeare.txt"), text);
  writeFileSync(join(folder, "eval.txt"), text.slice(-EVALUATED_CHARACTERS));
}

/**
 * Uses charnn on one platform.
 *
 * @returns what must be the same on all, for each instruction set
 */
async function resultsOn(name, runNode) {
  const folder = mkdtempSync(join(tmpdir(), "charnn-platform-"));
  try {
    await install(name, folder);
    const charnn = (line, options) =>
      runNode(folder, ["bin/charnn.js", ...line.split(" ")], options);
    const results = [];
    for (const set of await instructionSets(name, charnn)) {
      results.push({ set, ...(await resultsOf(set, folder, charnn)) });
    }
    return results;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Those that `charnn doctor` names, where native loads. */
async function instructionSets(name, charnn) {
  const { platform, architecture, backends } = JSON.parse(await charnn("doctor --json"));
  const native = backends.find((backend) => backend.name === "native");
  if (!native.loads) throw new Failure(`native does not load: ${native.why}`);
  const { os, cpu } = PLATFORMS[name];
  if (platform !== os || architecture !== cpu) throw new Failure(`it ran on ${platform}`);
  const speed = Math.round(native.trainCharsPerSecond).toLocaleString("en-US");
  console.log(`  doctor: ${native.instructionSets.join(", ")}; ${speed} chars/s`);
  return native.instructionSets;
}

async function resultsOf(set, folder, charnn) {
  const environment = { CHARNN_ISA: set };
  const [whole, killed] = [`whole-${set}`, `killed-${set}`];
  const last = (run) => join(folder, "checkpoints", run, "last.safetensors");
  const hashOf = (run) =>
    createHash("sha256")
      .update(readFileSync(last(run)))
      .digest("hex");

  await charnn(`${TRAIN} --name ${whole}`, { environment });
  const weights = hashOf(whole);
  console.log(`  ${set}: trained, ${weights}`);

  await charnn(`${TRAIN} --name ${killed}`, { environment, until: () => existsSync(last(killed)) });
  if (hashOf(killed) === weights) throw new Failure("it was killed too late");
  await charnn(`${TRAIN} --name ${killed} --resume`, { environment });
  if (hashOf(killed) !== weights) throw new Failure(`${set}: resumed, it has other bytes`);

  const text = await charnn(`sample ${killed} ${SAMPLE}`, { environment });
  const { run: _, ...figures } = JSON.parse(
    await charnn(`eval ${killed} ${EVAL}`, { environment }),
  );
  console.log(`  ${set}: killed and resumed, sampled, evaluated: ${figures.loss} nats/char`);
  return { weights, text, figures: JSON.stringify(figures) };
}

/** All with fused multiply-add have the same bytes. */
function isSameKind(a, b) {
  return (a.set === "sse2") === (b.set === "sse2");
}

async function check(name, expected) {
  for (const { set, ...results } of await resultsOn(name, NODE_ON[name]())) {
    const { set: other, ...wanted } = expected.find((each) => isSameKind({ set }, each)) ?? {};
    if (!other) console.log(`  ${set}: there is nothing here to compare with`);
    for (const [what, value] of Object.entries(wanted)) {
      if (results[what] === value) continue;
      throw new Failure(
        `other ${what} by ${set} than by ${other} here:\n${results[what]}\n${value}`,
      );
    }
  }
}

const asked = process.argv.slice(2);
const names = asked.length > 0 ? asked : Object.keys(PLATFORMS).filter((name) => name !== here);
console.log(here);
const expected = await resultsOn(here, nodeHere);
for (const name of names) {
  console.log(name);
  if (!(name in NODE_ON)) {
    console.log("  skipped: nothing runs it on this machine");
    continue;
  }
  try {
    await check(name, expected);
    console.log("  the same weights, text and figures");
  } catch (error) {
    if (error instanceof NotThere) console.log(`  skipped; first: ${error.message}`);
    else {
      console.error(`  ${error instanceof Failure ? `Failed: ${error.message}` : error.stack}`);
      process.exitCode = 1;
    }
  }
}
