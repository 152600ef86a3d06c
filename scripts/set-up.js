/**
 * Makes a clone ready: compiles the program and the kernels, and writes data/shakespeare.txt. npm runs it as
 * `prepare` at the end of `npm ci`, and again for `npm link` and `npx charnn`; what is up to date is left alone.
 *
 *     node scripts/set-up.js
 *
 * Where something is missing one line says what to do, and the install goes on: npm has done what it was asked
 * to, and would bury that line in its own. bin/not-set-up.js says it again when charnn is started.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** @returns why this Node.js can't be used; undefined where it can */
function whyNotThisNode() {
  const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const [, needed] = /^>=([\d.]+)$/.exec(engines.node);
  const [[major, minor], [neededMajor, neededMinor]] = [process.versions.node, needed].map(
    (version) => version.split(".").map(Number),
  );
  const isOld = major < neededMajor || (major === neededMajor && minor < neededMinor);
  if (!isOld) return undefined;
  return (
    `charnn was not set up: it needs Node.js ${needed} or newer, and this is Node.js ` +
    `${process.versions.node}. Install a newer one (https://nodejs.org), then run: npm ci`
  );
}

async function setUp() {
  const why = whyNotThisNode();
  if (why) return console.error(why);
  // These are written for the Node.js that charnn needs.
  const { compileProgram } = await import("./typescript.js");
  const outcome = await compileProgram(root);
  if (outcome === "failed") process.exitCode = 1;
  else if (outcome === "cannot") {
    const isThere = existsSync(join(root, "dist", "cli", "main.js"));
    console.error(
      `charnn is ${isThere ? "compiled from other sources" : "not compiled"}: npm left out the ` +
        "development dependencies, which compile it. Run: npm ci --include=dev",
    );
  } else {
    const script = join(root, "scripts", "build-native.js");
    // It says itself why there is no addon, and charnn works without.
    spawnSync(process.execPath, [script, "--if-changed"], { stdio: "inherit" });
    await import("../data/make-shakespeare.js");
  }
}

await setUp();
