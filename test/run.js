/**
 * Runs the compiled tests, as many files at once as there are cores. By the runner's function, since Node 20.3's
 * command line has no option for that.
 *
 *     node test/run.js          # all but the slow ones (test/helpers/slow.ts)
 *     node test/run.js --all    # those too
 *     node test/run.js --slow   # the slow ones alone
 *     node test/run.js --long   # and what takes minutes (test/long/), with another random seed each time
 */
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Transform } from "node:stream";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";

const compiled = fileURLToPath(new URL("../dist-test", import.meta.url));
const isLong = process.argv.includes("--long");
const isSlow = process.argv.includes("--slow");
const isQuick = !isLong && !isSlow && !process.argv.includes("--all");
if (isQuick) process.env.CHARNN_TEST_QUICK = "1";
if (isSlow) process.env.CHARNN_TEST_SLOW = "1";
if (isLong) {
  // Another seed finds more; a change must not fail by chance.
  process.env.CHARNN_TEST_SEED ??= String(Math.floor(Math.random() * 2 ** 32));
  console.log(`CHARNN_TEST_SEED=${process.env.CHARNN_TEST_SEED}`);
}
const files = readdirSync(compiled, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith(".test.js") || (isLong && /^long[/\\].*\.js$/.test(name)))
  .sort()
  .map((name) => join(compiled, name))
  .filter((file) => !isSlow || readFileSync(file, "utf8").includes("helpers/slow.js"));
const testNamePatterns = isSlow ? [/ \[slow\]$/] : undefined;
const tests = run({ files, concurrency: availableParallelism(), testNamePatterns });
tests.on("test:fail", () => {
  process.exitCode = 1;
});
tests.pipe(withoutUnmatched()).pipe(new spec()).pipe(process.stdout);
if (isQuick) {
  process.on("exit", () => console.log("Without the slow tests, which npm run test:all runs too."));
}

/** Leaves out the tests that were skipped because of their titles, which the reporter would list. */
function withoutUnmatched() {
  /** Tests that have started, of which nothing was passed on yet. */
  const started = [];
  return new Transform({
    objectMode: true,
    transform(event, _, done) {
      const { type, data } = event;
      if (type === "test:start") started.push(event);
      else if (data?.skip === "test name does not match pattern") started.pop();
      else for (const each of [...started.splice(0), event]) this.push(each);
      done();
    },
  });
}
