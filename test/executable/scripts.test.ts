/** What scripts rely on: exit codes, the environment, and settings that are printed to be read again. */
import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { charnn, foxFolder, jsonLines, SMALL } from "../helpers/executable.js";
import { slow } from "../helpers/slow.js";
import { slashed } from "../helpers/system.js";

slow("eval --fail-above ends with exit code 1 where a loss is above the limit", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const evaluate = (...args: string[]) =>
    charnn(t, ["eval", "fox", "fox.txt", "--no-baselines", ...args], { cwd });
  const [{ loss }] = jsonLines((await evaluate("--json")).stdout);
  const passed = await evaluate("--fail-above", String(loss));
  assert.deepEqual([passed.code, passed.stderr], [0, ""]);
  const failed = await evaluate("--fail-above", "1.5");
  assert.deepEqual([failed.code, failed.stdout], [1, passed.stdout]);
  assert.equal(
    failed.stderr,
    `Error: A loss is above --fail-above 1.5: ${loss.toFixed(4)} nats/char of fox on fox.txt.\n`,
  );
  const json = await evaluate("--fail-above", "1.5", "--json");
  assert.deepEqual([json.code, jsonLines(json.stdout).length], [1, 1]);
  assert.match(json.stderr, /above --fail-above 1\.5/);
  await writeFile(path.join(cwd, "easy.txt"), "    ".repeat(200));
  const two = await evaluate("easy.txt", "--each", "--fail-above", String(loss - 0.01));
  assert.equal(two.code, 1);
  assert.match(two.stderr, /^Error: (?:A loss is|2 of 2 losses are) above .* of fox on fox\.txt/);
  const wrong = await evaluate("--fail-above", "-1");
  assert.deepEqual([wrong.code, wrong.stdout], [2, ""]);
  assert.match(wrong.stderr, /^Error: --fail-above must be above 0, not -1\.$/m);
});

slow(
  "the last event tells whether a run reached its target loss or another limit, also after --resume",
  async (t) => {
    const cwd = await foxFolder(t);
    const end = async (...args: string[]) => {
      const all = ["train", "fox.txt", "--json", "--hidden-size", "8", ...args];
      const { code, stdout, stderr } = await charnn(t, all, { cwd });
      assert.equal(code, 0, stderr);
      const { reason, reached } = jsonLines(stdout).at(-1);
      return [reason, reached];
    };
    const target = ["--steps", "4", "--eval-every", "2", "--target-loss"];
    assert.deepEqual(await end("--name", "near", ...target, "9"), ["target-loss", "target-loss"]);
    assert.deepEqual(await end("--name", "near", "--resume"), ["done", "target-loss"]);
    assert.deepEqual(await end("--name", "far", ...target, "0.1"), ["steps", "steps"]);
    assert.deepEqual(await end("--name", "far", "--resume"), ["done", "steps"]);
  },
);

slow("the environment gives the folder of runs, the backend and the threads", async (t) => {
  const cwd = await foxFolder(t);
  const env = { CHARNN_DIR: "models", CHARNN_BACKEND: "wasm", CHARNN_THREADS: "1" };
  const started = async (args: string[], variables: Readonly<Record<string, string>> = env) => {
    const all = ["train", "fox.txt", "--json", ...SMALL, ...args];
    const { code, stdout, stderr } = await charnn(t, all, { cwd, env: variables });
    assert.equal(code, 0, stderr);
    const { path: folder, backend } = jsonLines(stdout).find(({ event }) => event === "start");
    return [slashed(folder), backend.name, backend.threads];
  };
  assert.deepEqual(await started(["--name", "a"]), ["models/a", "wasm", 1]);
  const listed = await charnn(t, ["info", "--json"], { cwd, env });
  assert.deepEqual(
    jsonLines(listed.stdout).map(({ name }) => name),
    ["a"],
  );

  await writeFile(path.join(cwd, "two.json"), '{"threads": 2}');
  const typed = ["--out", "typed", "--config", "two.json", "--name", "a"];
  assert.deepEqual(await started(typed), ["typed/a", "wasm", 2]);
  const empty = { CHARNN_DIR: "", CHARNN_BACKEND: "", CHARNN_THREADS: "" };
  assert.equal((await started(["--name", "a"], empty))[0], "checkpoints/a");
});

test("a value in the environment that can't be is refused by the name of its variable", async (t) => {
  const cwd = await foxFolder(t);
  for (const [name, value, says] of [
    [
      "CHARNN_THREADS",
      "two",
      /^Error: CHARNN_THREADS must be a number, such as 12 or 4e-3, not "two"/,
    ],
    [
      "CHARNN_THREADS",
      "0",
      /^Error: CHARNN_THREADS must be a whole number from 1 to 1,024, not 0\./,
    ],
    ["CHARNN_BACKEND", "cuda", /^Error: CHARNN_BACKEND must be auto, native, .*, not "cuda"\./],
    ["CHARNN_DIR", "run?", /^Error: CHARNN_DIR "run\?" has a wildcard in it/],
  ] as const) {
    const args = ["train", "fox.txt", ...SMALL];
    const { code, stdout, stderr } = await charnn(t, args, { cwd, env: { [name]: value } });
    assert.deepEqual([code, stdout], [2, ""], stderr);
    assert.match(stderr, says);
  }
  const env = { CHARNN_THREADS: "5" };
  const { stderr } = await charnn(t, ["train", "fox.txt", "--threads", "0"], { cwd, env });
  assert.match(stderr, /^Error: --threads must be/);
});

slow("the help of each command names the variables that its options are read from", async (t) => {
  for (const [command, ...variables] of [
    ["train", "DIR", "BACKEND", "THREADS"],
    ["sample", "DIR", "BACKEND", "THREADS"],
    ["eval", "DIR", "BACKEND", "THREADS"],
    ["info", "DIR"],
    ["bench", "BACKEND", "THREADS"],
  ]) {
    const { stdout } = await charnn(t, [command, "--help-all"]);
    const named = [...stdout.matchAll(/\(env:\s+CHARNN_([A-Z]+)\)/g)].map(([, name]) => name);
    assert.deepEqual(named, variables, command);
  }
});

slow("a run of the settings that --print-config prints has the same bytes", async (t) => {
  const cwd = await foxFolder(t);
  await writeFile(path.join(cwd, "names.txt"), "anna\nbella\ncora\ndora\nemma\n".repeat(40));
  const cases = [
    ["fox.txt", "--steps", "20"],
    ["fox.txt", "--steps", "20", "--section-windows", "2"],
    ["names.txt", "--steps", "20", "--documents", "lines", "--no-samples", "--cell", "lstm"],
    [
      "fox.txt",
      "--batching",
      "windows",
      "--stride",
      "9",
      "--validation-file",
      "names.txt",
      "--epochs",
      "1",
    ],
  ];
  for (const [k, [file, ...options]] of cases.entries()) {
    const train = async (...args: string[]) => {
      const all = ["train", file, ...args, "--hidden-size", "8", "--random-seed", "3"];
      const { code, stdout, stderr } = await charnn(t, all, { cwd });
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const before = await readdir(cwd);
    const printed = await train(...options, "--print-config");
    assert.deepEqual(await readdir(cwd), before);
    assert.deepEqual(
      JSON.parse(printed),
      JSON.parse(await train(...options, "--print-config", "--json")),
    );
    await writeFile(path.join(cwd, "settings.json"), printed);
    await train(...options, "--name", `given-${k}`);
    await train("--config", "settings.json", "--name", `printed-${k}`);
    const [given, again] = await Promise.all(
      ["given", "printed"].map((name) =>
        readFile(path.join(cwd, "checkpoints", `${name}-${k}`, "last.safetensors")),
      ),
    );
    assert.ok(given.equals(again), `${file} ${options.join(" ")}`);
  }
});

test("--print-config says what is decided, and refuses what it can't print", async (t) => {
  const cwd = await foxFolder(t);
  const print = (...args: string[]) =>
    charnn(t, ["train", "fox.txt", "--print-config", ...args], { cwd });
  const { code, stdout, stderr } = await print("--lr", "0.002", "--name", "night", "--keep", "2");
  assert.deepEqual([code, stderr], [0, ""]);
  const settings = JSON.parse(stdout);
  assert.deepEqual(
    [settings.name, settings.keep, settings["learning-rate"], settings.preset],
    ["night", 2, 0.002, "tiny"],
  );
  assert.ok(settings["hidden-size"] > 0 && settings.epochs > 0 && settings.dropout > 0, stdout);
  assert.match(stdout, /^ {2}"cell": "gru",$/m);
  for (const beside of [["--resume"], ["--cross-validate", "3"]]) {
    const refused = await print(...beside);
    assert.deepEqual([refused.code, refused.stdout], [2, ""]);
    assert.match(refused.stderr, /--print-config does nothing beside/);
  }
  assert.equal((await print("--hidden-size", "0")).code, 2);
});

test("Much time for a short text gives several models, unless an option says what is trained, or how long", async (t) => {
  const cwd = await foxFolder(t);
  const membersOf = async (...args: string[]) => {
    const all = ["train", "fox.txt", "--max-time", "10h", "--print-config", ...args];
    const { code, stdout, stderr } = await charnn(t, all, { cwd });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout).members;
  };
  assert.equal(await membersOf(), 5);
  assert.equal(await membersOf("--dropout", "0.2"), 5);
  assert.equal(await membersOf("--members", "1"), 1);
  for (const decides of [
    ["--steps", "100"],
    ["--epochs", "9"],
    ["--hidden-size", "64"],
    ["--layers", "2"],
    ["--preset", "tiny"],
  ]) {
    assert.equal(await membersOf(...decides), undefined, decides.join(" "));
  }
});
