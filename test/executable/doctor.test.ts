import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { onTheAddon } from "../helpers/addon.js";
import { copiedProgram } from "../helpers/copied-program.js";
import { charnn, jsonLines } from "../helpers/executable.js";
import { slow } from "../helpers/slow.js";

const packageFile = new URL("../../package.json", import.meta.url);

test("doctor shows the backends that load and the machine, with --json as one object", async (t) => {
  const { code, stdout, stderr } = await charnn(t, ["doctor", "--json"]);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "");
  const [diagnosis, ...others] = jsonLines(stdout);
  assert.deepEqual(others, []);
  assert.equal(diagnosis.version, JSON.parse(await readFile(packageFile, "utf8")).version);
  assert.equal(diagnosis.node, process.version);
  assert.equal(diagnosis.platform, process.platform);
  assert.equal(diagnosis.architecture, process.arch);
  assert.equal(diagnosis.cores, availableParallelism());
  const { threads, why } = diagnosis.defaultThreads;
  assert.ok(threads >= 1 && threads <= availableParallelism());
  assert.match(why, /^one for each |^the process has a quota of /);
  assert.deepEqual(
    diagnosis.backends.map(({ name }: { name: string }) => name),
    ["native", "wasm", "tensorflow"],
  );
  const loaded = diagnosis.backends.filter(({ loads }: { loads: boolean }) => loads);
  assert.equal(diagnosis.auto, loaded[0].name);
  const wasm = loaded.find(({ name }: { name: string }) => name === "wasm");
  assert.equal(wasm.threads, threads);
  for (const { trainCharsPerSecond, trainGflops } of loaded) {
    assert.ok(trainCharsPerSecond > 0 && Number.isFinite(trainCharsPerSecond));
    // A GRU of 128 units that knows 65 characters.
    const operations = 6 * (3 * 128 * 128 + 65 * 128);
    const ratio = (trainGflops * 1e9) / (trainCharsPerSecond * operations);
    assert.ok(Math.abs(ratio - 1) < 1e-9, `${ratio}`);
  }
});

onTheAddon("doctor", (addon) => {
  slow("doctor shows what the native backend has", async (t) => {
    const { instructionSets } = addon.describe();
    const { stdout } = await charnn(t, ["doctor"]);
    const line = stdout.split("\n").find((one) => one.startsWith("native "));
    assert.match(line ?? "", /^native +loads: [\d,]+ chars\/s, [\d.]+ GFLOP\/s, \d+ threads?, /);
    assert.ok(line?.endsWith(`${instructionSets[0]} (of ${instructionSets.join(", ")})`), line);
    assert.match(stdout, /^auto +takes native$/m);
  });
});

slow("doctor shows why a backend does not load, and what helps", async (t) => {
  const program = await copiedProgram(t, { "scripts/build-native.js": "" });
  const shown = await charnn(t, ["doctor"], { program });
  assert.deepEqual({ code: shown.code, stderr: shown.stderr }, { code: 0, stderr: "" });
  for (const line of [
    /^charnn +\d+\.\d+\.\d+/m,
    /^Node\.js +\d+\.\d+\.\d+$/m,
    /^processor +\S.*, \d+ cores?$/m,
    /^native +does not load: it was not compiled\. With a C\+\+ compiler, run: npm run native; /m,
    /^tensorflow +does not load: .* (is not installed|was not built)\. Run: charnn doctor --install-tensorflow$/m,
    /^wasm +loads: [\d,]+ chars\/s, [\d.]+ GFLOP\/s, \d+ threads?$/m,
    /^auto +takes wasm$/m,
  ]) {
    assert.match(shown.stdout, line);
  }
  const { code, stdout } = await charnn(t, ["doctor", "--json"], { program });
  assert.equal(code, 0);
  const [{ backends, auto }] = jsonLines(stdout);
  assert.equal(auto, "wasm");
  const { cure, ...native } = backends[0];
  assert.deepEqual(native, { name: "native", loads: false, why: "it was not compiled" });
  assert.match(cure, /npm run native; without one: charnn doctor --install-compiler$/);
});
