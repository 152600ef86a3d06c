import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { charnn, jsonLines, sentences, workplace } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";

test("eval scores any text", async (t) => {
  const cwd = await workplace(t, { trained: true });
  const text = sentences(10);
  await writeFile(path.join(cwd, "other.txt"), text);
  await writeFile(path.join(cwd, "accents.txt"), `${text}é€é`);
  const score = async (args: string[], stdin = "") => {
    const { code, stdout, stderr } = await charnn(t, ["eval", "fox", ...args], { cwd, stdin });
    assert.equal(code, 0, stderr);
    return { stdout, stderr };
  };

  await t.test("as one JSON object", async () => {
    const { stdout, stderr } = await score(["other.txt", "--json"]);
    assert.equal(stderr, "");
    const [facts, ...others] = jsonLines(stdout);
    assert.deepEqual(others, []);
    const { loss, bitsPerCharacter, perplexity, accuracy, characters } = facts;
    assert.equal(characters, text.length - 1);
    assert.ok(loss > 3 && loss < Math.log(40) + 0.5, `loss ${loss}`);
    assert.ok(Math.abs(bitsPerCharacter - loss / Math.LN2) < 1e-9);
    assert.ok(Math.abs(perplexity - Math.exp(loss)) < 1e-6);
    assert.ok(accuracy >= 0 && accuracy <= 1);
    const piped = await score(["-", "--json"], text);
    assert.equal(piped.stdout, stdout);
  });

  await t.test("as a table", async () => {
    const { stdout } = await score(["other.txt"]);
    assert.match(
      stdout,
      /^loss +\d\.\d{4} nats\/char\nbits per character +\d\.\d{4}\nperplexity +\d+\.\d{3}\naccuracy +\d+\.\d\d %\ncharacters +540\n$/,
    );
  });

  await t.test(
    "once more with weights that follow the text, beside the plain figures",
    async () => {
      const [plain] = jsonLines((await score(["other.txt", "--json"])).stdout);
      const { stdout } = await score(["other.txt", "--dynamic", "--json"]);
      const [{ dynamic, ...others }] = jsonLines(stdout);
      assert.deepEqual(others, plain);
      assert.ok(dynamic.loss < plain.loss && dynamic.loss > 0, `${dynamic.loss}, ${plain.loss}`);
      const { stdout: shown } = await score(["other.txt", "--dynamic"]);
      assert.match(shown, /^ +plain +dynamic\nloss +\d\.\d{4} nats\/char +\d\.\d{4} nats\/char\n/);
    },
  );

  await t.test("without the characters that the model does not know, if so told", async () => {
    const refused = await charnn(t, ["eval", "fox", "accents.txt"], { cwd });
    assert.equal(refused.code, 1);
    assert.equal(refused.stdout, "");
    assert.match(refused.stderr, /"é" \(U\+00E9\).*line 11.*accents\.txt/);
    assert.match(refused.stderr, /--unknown skip/);
    const { stdout, stderr } = await score(["accents.txt", "--unknown", "skip", "--json"]);
    assert.match(stderr, /^Warning: 3 characters .* left out: .*"é".*"€".*\n$/);
    const [{ skipped, characters }] = jsonLines(stdout);
    assert.equal(skipped, 3);
    assert.equal(characters, text.length - 1);
  });
});

test("info shows what a checkpoint holds, and all runs", async (t) => {
  const empty = await temporaryFolder(t);
  const none = await charnn(t, ["info"], { cwd: empty });
  assert.equal(none.code, 0);
  assert.equal(none.stdout, "");
  assert.match(none.stderr, /^There are no runs yet.*charnn train/);

  const cwd = await workplace(t, { trained: true });
  const info = async (...args: string[]) => {
    const { code, stdout, stderr } = await charnn(t, ["info", ...args], { cwd });
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
    return stdout;
  };
  const list = (await info()).split("\n");
  assert.match(list[0], /^run +model +parameters +step +best validation loss$/);
  assert.match(list[1], /^checkpoints\/fox +GRU 1x8 +[\d,]+ +5\/5 +\d\.\d{4}$/);
  const one = await info("fox");
  assert.match(one, /^checkpoint +checkpoints\/fox\/best\.safetensors$/m);
  assert.match(one, /^vocabulary +40: \\n \.0123456789Tabc[a-z]+$/m);
  assert.match(one, /^progress +step 5 of 5, 1 whole epoch$/m);
  assert.match(one, /^text +3,291 characters: 2,962 trained on, 329 validated on$/m);

  const [facts] = jsonLines(await info("fox", "--json"));
  assert.equal(facts.config.model.hiddenSize, 8);
  assert.equal(facts.progress.step, 5);
  assert.equal(facts.vocabulary.length, 40);
  assert.equal(facts.vocabulary[0], "\n");
  const [listed] = jsonLines(await info("--json"));
  assert.deepEqual(listed.config, facts.config);
  assert.equal(listed.path, "checkpoints/fox");
});

test("help shows defaults and examples, at once", async (t) => {
  const folder = await temporaryFolder(t);
  // Writes the address of each module that is loaded to a file.
  const hook = `import { appendFileSync } from "node:fs";
    export async function resolve(name, context, next) {
      const found = await next(name, context);
      appendFileSync(process.env.LOADED_MODULES, found.url + "\\n");
      return found;
    }`;
  await writeFile(path.join(folder, "hook.mjs"), hook);
  await writeFile(
    path.join(folder, "register.mjs"),
    `import { register } from "node:module"; register("./hook.mjs", import.meta.url);`,
  );
  const register = pathToFileURL(path.join(folder, "register.mjs")).href;
  const help = async (name: string, ...args: string[]) => {
    const loaded = path.join(folder, `${name}.txt`);
    const env = { NODE_OPTIONS: `--import ${register}`, LOADED_MODULES: loaded };
    const { code, stdout, stderr } = await charnn(t, args, { cwd: folder, env });
    assert.equal(code, 0, stderr);
    return { stdout, stderr, loaded: await readFile(loaded, "utf8") };
  };

  const defaults: Record<string, RegExp> = {
    train: /--clip-norm <norm> .*\(default: 1\)/,
    sample: /-n, --length <n> .*\(default: 500\)/,
    eval: /--unknown <what> .*error, skip \(default: error\)/,
    bench: /--threads <n> .*\(default: the processor's cores\)/,
    doctor: /--json +one object on standard output/,
    info: /--out <folder> .*\(default: checkpoints\)/,
  };
  for (const [command, shown] of Object.entries(defaults)) {
    const { stdout, stderr, loaded } = await help(command, command, "--help");
    assert.equal(stderr, "");
    assert.match(stdout, shown);
    assert.match(stdout, new RegExp(`^Examples:\\n {2}charnn ${command}`, "m"));
    assert.match(loaded, /cli\/main\.js/);
    assert.doesNotMatch(loaded, /backends\/tfjs/, command);
    for (const line of stdout.split("\n")) assert.ok(line.length <= 100, line);
    assert.equal((await charnn(t, [command, "-h"])).stdout, stdout);
  }
  const whole = await help("whole", "--help");
  assert.match(whole.stdout, /^Examples:\n {2}charnn train/m);
  assert.doesNotMatch(whole.loaded, /backends\/tfjs/);

  const version = await help("version", "--version");
  const packageFile = new URL("../../package.json", import.meta.url);
  assert.equal(version.stdout, `${JSON.parse(await readFile(packageFile, "utf8")).version}\n`);
  assert.doesNotMatch(version.loaded, /backends\/tfjs/);
  // The trace sees what it looks for.
  assert.match((await help("info-runs", "info")).loaded, /backends\/tfjs/);
});
