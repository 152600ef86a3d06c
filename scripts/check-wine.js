/**
 * Runs test files by the Node.js for Windows under Wine, one after the other, and prints how many of their tests
 * passed, which failed, and why.
 *
 *     npm run native:package -- win32-x64                     # first: the addon
 *     node scripts/check-wine.js executable/train data/texts  # test/executable/train.test.ts and test/data/texts.test.ts
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { NODE_ON, winePrefix } from "./native/emulators.js";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Of one file. Wine and a busy machine make it ten times as slow. */
const MINUTES = 30;
/** Where the clone is for Windows. */
const CLONE = "T:\\";

/**
 * Tests start the program at a path as npm installs it, and make a link there (test/helpers/executable.ts). Wine
 * makes no links, but takes one of Linux for a folder.
 */
function linkProgram() {
  const temporary = join(winePrefix(), "drive_c", "users", userInfo().username, "Temp");
  const own = createHash("sha256").update(CLONE).digest("hex").slice(0, 12);
  const modules = join(temporary, `program-of-tests-${own}`, "node_modules");
  mkdirSync(modules, { recursive: true });
  rmSync(join(modules, "charnn"), { force: true });
  symlinkSync(root, join(modules, "charnn"));
}

/** What a test file printed, in TAP. */
async function outputOf(run, name) {
  try {
    const args = ["--test-reporter=tap", `dist-test/${name}.test.js`];
    return await run(root, args, { minutes: MINUTES });
  } catch (error) {
    return error.message;
  }
}

if (!existsSync(join(root, "native", "build", "win32-x64", "charnn.node"))) {
  throw new Error("First: npm run native:package -- win32-x64");
}
const run = NODE_ON["win32-x64"]();
linkProgram();
for (const name of process.argv.slice(2)) {
  const output = await outputOf(run, name);
  const figures = [...output.matchAll(/^# (pass|fail|cancelled|skipped) (\d+)\r?$/gm)];
  const hasPassed = figures.some(([, what, count]) => what === "fail" && count === "0");
  const counts = figures.map(([, what, count]) => `${what} ${count}`).join(", ");
  console.log(`${name}: ${counts || "it did not end"}`);
  if (hasPassed) continue;
  process.exitCode = 1;
  console.log(output.replace(/^( *)ok .*\n\1 {2}---\n(.*\n)*?\1 {2}\.\.\.\n/gm, ""));
}
