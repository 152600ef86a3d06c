/**
 * Runs the packages of other platforms on this machine, in emulators: charnn doctor, and a training of 20
 * steps whose last.safetensors must have the same bytes as here. Of Windows the kernels' own tests run too.
 * A platform whose emulator is missing is skipped, with a line that says what to install.
 *
 *     npm run native:package -- --all      # first: it makes the packages
 *     npm run test:platforms               # all that can run here
 *     npm run test:platforms -- win32-x64  # one
 *
 * Node for each platform comes from npm and PyPI, into the user's cache folder. For macOS, and for Windows on
 * arm64, there is no emulator.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { EMULATED, NotThere, runHere } from "./native/emulators.js";
import { PLATFORMS, thisPlatform } from "./native/platforms.js";
import { productionDependencies } from "./native/production-dependencies.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const packages = join(root, "native", "build", "package");
const TRAIN =
  "train shakespeare.txt --hidden-size 64 --steps 20 --eval-every 10 --threads 2 --random-seed 7 " +
  "--backend native --name tried";

/** What did not come out as it must. */
class Failure extends Error {}

/** An installed charnn with the addon of one platform, and a text. */
async function install(name, folder) {
  const addon = join(packages, `native-${name}`);
  if (!existsSync(addon)) throw new NotThere("npm run native:package -- --all");
  await cp(join(packages, "charnn"), folder, { recursive: true });
  for (const dependency of productionDependencies(root)) {
    await cp(dependency, join(folder, relative(root, dependency)), { recursive: true });
  }
  await cp(addon, join(folder, "node_modules", "@charnn", `native-${name}`), { recursive: true });
  await cp(join(root, "data", "shakespeare.txt"), join(folder, "shakespeare.txt"));
}

/** @returns the hash of last.safetensors, by instruction set */
async function hashesOf(name, runNode) {
  const folder = mkdtempSync(join(tmpdir(), "charnn-platform-"));
  try {
    await install(name, folder);
    const charnn = (args, env) => runNode(folder, ["bin/charnn.js", ...args.split(" ")], env);
    const { platform, architecture, backends } = JSON.parse(charnn("doctor --json"));
    const native = backends.find((backend) => backend.name === "native");
    if (!native.loads) throw new Failure(`native does not load: ${native.why}`);
    const { os, cpu } = PLATFORMS[name];
    if (platform !== os || architecture !== cpu) throw new Failure(`it ran on ${platform}`);
    const speed = Math.round(native.trainCharsPerSecond).toLocaleString("en-US");
    console.log(`  doctor: ${native.instructionSets.join(", ")}; ${speed} chars/s`);
    return native.instructionSets.map((set) => {
      charnn(`${TRAIN}-${set}`, { CHARNN_ISA: set });
      const file = join(folder, "checkpoints", `tried-${set}`, "last.safetensors");
      const hash = createHash("sha256").update(readFileSync(file)).digest("hex");
      console.log(`  ${set}: ${hash}`);
      return { set, hash };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** All with fused multiply-add have the same bytes. */
function isSameKind(a, b) {
  return (a.set === "sse2") === (b.set === "sse2");
}

async function check(name, expected) {
  const { runNode, runTests } = EMULATED[name]();
  const hashes = await hashesOf(name, runNode);
  for (const one of hashes) {
    const other = expected.find((each) => isSameKind(one, each));
    if (other && other.hash !== one.hash) {
      throw new Failure(`${one.set} has not the bytes of ${other.set} here (${other.hash})`);
    }
    if (!other) console.log(`  ${one.set}: there is nothing here to compare with`);
  }
  runTests?.(join(root, "native", "build", name));
}

const here = thisPlatform();
const asked = process.argv.slice(2);
const names = asked.length > 0 ? asked : Object.keys(PLATFORMS).filter((name) => name !== here);
console.log(here);
const expected = await hashesOf(here, runHere);
for (const name of names) {
  console.log(name);
  if (!(name in EMULATED)) {
    console.log("  skipped: nothing runs it on this machine");
    continue;
  }
  try {
    await check(name, expected);
    console.log("  the same bytes");
  } catch (error) {
    if (error instanceof NotThere) console.log(`  skipped; first: ${error.message}`);
    else {
      console.error(`  ${error instanceof Failure ? `Failed: ${error.message}` : error.stack}`);
      process.exitCode = 1;
    }
  }
}
