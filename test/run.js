/**
 * Runs the compiled tests, as many files at once as there are cores; with `--all` those too that take
 * minutes. By the runner's function, since Node 20.3's command line has no option for that.
 */
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";

const compiled = fileURLToPath(new URL("../dist-test", import.meta.url));
const all = process.argv.includes("--all");
if (all) {
  // Another seed each time finds more; a change must not fail by chance.
  process.env.CHARNN_TEST_SEED ??= String(Math.floor(Math.random() * 2 ** 32));
  console.log(`CHARNN_TEST_SEED=${process.env.CHARNN_TEST_SEED}`);
}
const files = readdirSync(compiled, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith(".test.js") || (all && /^long[/\\].*\.js$/.test(name)))
  .sort()
  .map((name) => join(compiled, name));
const tests = run({ files, concurrency: availableParallelism() });
tests.on("test:fail", () => {
  process.exitCode = 1;
});
tests.compose(new spec()).pipe(process.stdout);
