import assert from "node:assert/strict";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { encodeSafetensors } from "#src/checkpoint/safetensors.js";
import { charnn, foxFolder, jsonLines, quoted, sentences, shell } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { decodeSafetensors } from "../helpers/safetensors.js";
import { slow } from "../helpers/slow.js";
import { isWindows, noShell, slashed } from "../helpers/system.js";

slow("eval scores any text", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const text = sentences(10);
  await writeFile(path.join(cwd, "other.txt"), text);
  await writeFile(path.join(cwd, "accents.txt"), `${text}é€é`);
  const score = async (args: string[], stdin = "") => {
    const all = ["eval", "fox", ...args];
    const { code, stdout, stderr } = await charnn(t, all, { cwd, stdin });
    assert.equal(code, 0, stderr);
    return { stdout, stderr };
  };

  await t.test("as one JSON object", async () => {
    const { stdout, stderr } = await score(["other.txt", "--json"]);
    assert.equal(stderr, "");
    const [facts, ...others] = jsonLines(stdout);
    assert.deepEqual(others, []);
    const { loss, bitsPerCharacter, perplexity, accuracy, characters, ...more } = facts;
    assert.deepEqual([more.run, more.text, more.skipped], ["fox", "other.txt", 0]);
    assert.ok(more.topFiveAccuracy > accuracy && more.topFiveAccuracy <= 1);
    for (const name of ["macroPrecision", "macroRecall", "macroF1"]) {
      assert.ok(more[name] >= 0 && more[name] < 1, name);
    }
    assert.deepEqual([more.coldStart[0].from, more.coldStart.at(-1).to], [1, 255]);
    assert.ok(more.confused.length > 0);
    const { counting, compressed } = more.baselines;
    // The text repeats one sentence, which is soon counted.
    assert.ok(counting.loss > 0 && counting.loss < 2, `${counting.loss}`);
    // Windows has no such programs.
    if (!isWindows) assert.ok(compressed.gzip > 0 && compressed.gzip < 8);
    assert.equal(characters, text.length - 1);
    assert.ok(loss > 2.5 && loss < Math.log(40) + 0.5, `loss ${loss}`);
    assert.ok(Math.abs(bitsPerCharacter - loss / Math.LN2) < 1e-9);
    assert.ok(Math.abs(perplexity - Math.exp(loss)) < 1e-6);
    assert.ok(accuracy >= 0 && accuracy <= 1);
    const [piped] = jsonLines((await score(["-", "--json"], text)).stdout);
    assert.deepEqual({ ...piped, text: "other.txt" }, facts);
  });

  await t.test("as a table", async () => {
    const { stdout } = await score(["other.txt"]);
    const figures =
      /^loss +\d\.\d{4} nats\/char\nbits per character +\d\.\d{4}\nperplexity +\d+\.\d{3}\naccuracy +\d+\.\d\d %\ntop-5 accuracy +/;
    assert.match(stdout, figures);
    const [, confused, coldStart, baselines] = stdout.split("\n\n");
    assert.match(confused, /^Most confused\n {2}"." taken for "." +\d+ times? +\d/);
    assert.match(coldStart, /^Loss after a cold start\n {2}1 character read +\d\.\d{4} nats/);
    assert.match(coldStart, /\n {2}128 to 255 +\d\.\d{4} nats\/char$/);
    assert.match(baselines, /^Compared with, in bits per character$/m);
    for (const name of ["this model", "\\d+-gram baseline", "gzip -9"]) {
      assert.match(baselines, new RegExp(`^ {2}${name} +\\d\\.\\d{4}$`, "m"));
    }
    const order = [...baselines.matchAll(/ (\d+\.\d{4})$/gm)].map(([, bits]) => Number(bits));
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    );
    const without = await score(["other.txt", "--no-baselines"]);
    assert.equal(without.stdout, stdout.slice(0, stdout.indexOf("\n\nCompared with") + 1));
  });

  await t.test("as a row for each of several runs and texts", async () => {
    const more = ["train", "fox.txt", "--name", "hare", "--hidden-size", "4", "--steps", "3"];
    assert.equal((await charnn(t, more, { cwd })).code, 0);
    const { stdout } = await score(["other.txt", "fox.txt", "--each", "--also", "hare"]);
    const [head, ...rows] = stdout.trimEnd().split("\n");
    assert.match(
      head,
      /^run +text +nats\/char +bits\/char +perplexity +accuracy +top-5 +characters$/,
    );
    assert.deepEqual(
      rows.map((row) => row.split(/ +/).slice(0, 2).join(" ")),
      ["fox other.txt", "fox fox.txt", "hare other.txt", "hare fox.txt"],
    );
    const piped = await score(["-", "--also", "hare", "--json"], text);
    const objects = jsonLines(piped.stdout);
    assert.deepEqual(
      objects.map(({ run, text: name }) => [run, name]),
      [
        ["fox", "-"],
        ["hare", "-"],
      ],
    );
    assert.notEqual(objects[0].loss, objects[1].loss);
    const twice = await charnn(t, ["eval", "fox", "other.txt", "--also", "fox"], { cwd });
    assert.equal(twice.code, 2);
    assert.match(twice.stderr, /asked for twice/);
  });

  await t.test("as that of a mixture after its runs", async () => {
    const mixing = ["other.txt", "--also", "hare", "--mix", "0.6,0.2"];
    const objects = jsonLines((await score([...mixing, "--json"])).stdout);
    const [fox, hare, both] = objects;
    assert.deepEqual(
      objects.map(({ run, members }) => [
        run,
        members?.map(({ run: name }: { run: string }) => name),
      ]),
      [
        ["fox", undefined],
        ["hare", undefined],
        ["fox + hare", ["fox", "hare"]],
      ],
    );
    assert.ok(Math.abs(both.members[0].share - 0.75) < 1e-9, JSON.stringify(both.members));
    // The logarithm of a mean is no less than the mean of the logarithms.
    assert.ok(both.loss < 0.75 * fox.loss + 0.25 * hare.loss && both.loss > 0, `${both.loss}`);
    assert.ok(both.baselines.counting.loss === fox.baselines.counting.loss);
    const { stdout } = await score(mixing);
    const rows = stdout.trimEnd().split("\n");
    assert.deepEqual([rows.length, rows[3].startsWith("fox + hare ")], [4, true]);
    // Only the loss of the mixture is held to the limit.
    const least = Math.min(fox.loss, hare.loss);
    const failing = async (limit: number) => {
      const outcome = await charnn(t, ["eval", "fox", ...mixing, `--fail-above=${limit}`], { cwd });
      return { code: outcome.code, error: outcome.stderr };
    };
    assert.equal((await failing(both.loss + 1e-6)).code, 0);
    const { code, error } = await failing(Math.min(both.loss, least) - 1e-6);
    assert.equal(code, 1);
    assert.match(error, /^Error: A loss is above .*of fox \+ hare on other\.txt\.$/m);
  });

  await t.test("as that of a mixture where a run lacks characters that another knows", async () => {
    await writeFile(path.join(cwd, "capitals.txt"), sentences(60).toUpperCase());
    const more = ["train", "capitals.txt", "--name", "capitals", "--hidden-size=4", "--steps=3"];
    assert.equal((await charnn(t, more, { cwd })).code, 0);
    await writeFile(path.join(cwd, "both.txt"), sentences(3) + sentences(3).toUpperCase());
    const mixing = ["--also", "capitals", "--mix", "1,1", "--json", "--no-baselines"];
    const { stdout, stderr } = await score(["both.txt", ...mixing]);
    assert.deepEqual(
      jsonLines(stdout).map(({ run }) => run),
      ["fox + capitals"],
    );
    assert.match(
      stderr,
      /^Warning: fox can't score the text by itself\. The model does not know /m,
    );
    assert.match(stderr, /^Warning: capitals can't score the text by itself\. /m);
    const none = await charnn(t, ["eval", "fox", "accents.txt", ...mixing], { cwd });
    assert.deepEqual([none.code, none.stdout], [1, ""]);
    assert.match(none.stderr, /^Error: The model does not know the characters "é"/);
  });

  await t.test("as that of a mixture only where that can be", async () => {
    for (const [args, said] of [
      [["--mix", "1,1"], /^Error: --mix does nothing without --also\.\n/],
      [["--also", "hare", "--mix", "1"], /^Error: --mix has 1 share, and there are 2 models\.\n/],
      [
        ["--also", "hare", "--mix", "1,0"],
        /^Error: --mix must be .* each above 0, not \[1,0\]\.\n/,
      ],
      [["--also", "hare", "--mix"], /^Error: .*--mix <shares>/],
      [
        ["--also", "hare", "--mix", "1,1", "--dynamic"],
        /^Error: --dynamic does nothing beside --mix/,
      ],
    ] as const) {
      const outcome = await charnn(t, ["eval", "fox", "other.txt", ...args], { cwd });
      assert.deepEqual([outcome.code, outcome.stdout], [2, ""], outcome.stderr);
      assert.match(outcome.stderr, said);
    }
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

slow("info shows what a checkpoint holds, and all runs", async (t) => {
  const empty = await temporaryFolder(t);
  const none = await charnn(t, ["info"], { cwd: empty });
  assert.equal(none.code, 0);
  assert.equal(none.stdout, "");
  assert.match(none.stderr, /^There are no runs yet.*charnn train FILE\n$/);
  const elsewhere = await charnn(t, ["info", "--out", "my runs"], { cwd: empty });
  assert.match(elsewhere.stderr, /charnn train FILE --out ['"]my runs['"]\n$/);

  const cwd = await foxFolder(t, { trained: true });
  const info = async (...args: string[]) => {
    const { code, stdout, stderr } = await charnn(t, ["info", ...args], { cwd });
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
    return stdout;
  };
  const list = (await info()).split("\n");
  assert.match(list[0], /^run +text +model +steps +held-out loss +state +when$/);
  assert.match(
    list[1],
    /^fox +fox\.txt +GRU 1x8 +5\/5 +\d\.\d{3} +done +just now +<- sample takes this$/,
  );
  const one = await info("fox");
  assert.match(slashed(one), /^checkpoint +checkpoints\/fox\/best\.safetensors$/m);
  assert.match(one, /^vocabulary +40: \\n \.0123456789Tabc[a-z]+$/m);
  assert.match(one, /^state +done, saved just now$/m);
  assert.match(one, /^steps +step 5 of 5, 1 whole epoch$/m);
  assert.match(
    one,
    /^held-out loss +\d\.\d{3} nats\/char \(\d\.\d{3} bits\/char\), best at step 5$/m,
  );
  assert.match(one, /^text +3,291 characters: 2,962 to train, 329 held out$/m);
  assert.match(one, /^files +best\.safetensors \d+ kB, last\.safetensors \d+ kB$/m);
  assert.match(one, /^begun +\d{4}-\d\d-\d\d \d\d:\d\d UTC, charnn [\d.]+, \w+, \d+ threads?$/m);
  assert.match(
    one,
    /^command +charnn train fox\.txt --hidden-size 8 --ngram-rows 200 --steps 5 --name fox$/m,
  );

  const [facts] = jsonLines(await info("fox", "--json"));
  assert.equal(facts.config.model.hiddenSize, 8);
  assert.equal(facts.progress.step, 5);
  assert.equal(facts.vocabulary.length, 40);
  assert.equal(facts.vocabulary[0], "\n");
  const [listed] = jsonLines(await info("--json"));
  assert.deepEqual(listed.config, facts.config);
  assert.equal(slashed(listed.path), "checkpoints/fox");
  assert.deepEqual([listed.name, listed.state], ["fox", "done"]);
  assert.deepEqual(listed.settings.files, ["fox.txt"]);
  assert.ok(Number.isFinite(Date.parse(listed.savedAt)));
});

slow(
  "info lists every run, no matter what is wrong with one of them",
  { skip: noShell },
  async (t) => {
    const cwd = await foxFolder(t, { trained: true });
    const runs = path.join(cwd, "checkpoints");
    const bad = (name: string) => path.join(runs, name, "last.safetensors");
    for (const name of ["folder", "link", "pipe", "deep", "cut"])
      await mkdir(path.join(runs, name));
    await mkdir(bad("folder"));
    await symlink("last.safetensors", bad("link"));
    assert.equal((await shell(t, `mkfifo ${quoted(bad("pipe"))}`)).code, 0);
    await writeFile(bad("deep"), deepCheckpoint(await readFile(bad("fox"))));
    await writeFile(bad("cut"), (await readFile(bad("fox"))).subarray(0, 100));
    await symlink("loop", path.join(runs, "loop"));
    await writeFile(path.join(runs, "notes.txt"), "not a run");

    const { code, stdout, stderr } = await charnn(t, ["info"], { cwd });
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
    assert.match(stdout, /^fox +fox\.txt +GRU 1x8 /m);
    const damaged = ["folder", "link", "pipe", "deep", "cut", "loop"];
    for (const name of damaged) {
      assert.match(
        slashed(stdout),
        new RegExp(`^checkpoints/${name}.* can't be (used|read): .*\\.$`, "m"),
      );
    }
    assert.doesNotMatch(stdout, /notes/);
    const rows = jsonLines((await charnn(t, ["info", "--json"], { cwd })).stdout);
    assert.deepEqual(
      rows.map((row) => [row.path, typeof row.error]).toSorted(),
      [
        ["checkpoints/fox", "undefined"],
        ...damaged.map((name) => [`checkpoints/${name}`, "string"]),
      ].toSorted(),
    );

    for (const name of damaged) {
      const asked = await charnn(t, ["info", name], { cwd });
      assert.equal(asked.code, 1);
      assert.match(
        slashed(asked.stderr),
        new RegExp(`^Error: checkpoints/${name}.* can't be (used|read)`),
      );
    }
    const sampled = await charnn(t, ["sample", "fox", "-n", "5"], { cwd });
    assert.equal(sampled.code, 0, sampled.stderr);

    const newest = await charnn(t, ["sample"], { cwd });
    assert.equal(newest.code, 1);
    assert.match(newest.stderr, /can't be used.*\n.*newest run.*: .*fox/);

    assert.equal(
      (await shell(t, `mkfifo ${quoted(path.join(runs, "cut", "metrics.jsonl"))}`)).code,
      0,
    );
    const plotted = await charnn(t, ["plot", "cut"], { cwd });
    assert.equal(plotted.code, 1);
    assert.match(plotted.stderr, /metrics\.jsonl can't be read: it is not a regular file/);
    assert.equal((await charnn(t, ["plot"], { cwd })).code, 0);

    await rm(path.join(runs, "fox"), { recursive: true });
    const none = await charnn(t, ["info"], { cwd });
    assert.equal(none.code, 1);
    assert.match(none.stdout, /^checkpoints\/cut/m);
  },
);

/** A checkpoint whose configuration is a list in a list in a list. */
function deepCheckpoint(whole: Buffer): Buffer {
  const { metadata, tensors } = decodeSafetensors(whole);
  const deep = "[".repeat(5_000) + "]".repeat(5_000);
  const encoded = encodeSafetensors(tensors.values(), new Map([...metadata, ["config", deep]]));
  return Buffer.concat([encoded.header, ...encoded.data]);
}

/** Modules that take long to load: those that check settings, and the backends. */
const HEAVY = /valibot|backends\/(?:select|kernels|native|wasm|tensorflow)/;

slow("help shows defaults and examples, at once", async (t) => {
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
    train: /--epochs <n> .*\(default: from the length of the text\)/,
    sample: /-n, --length <n> .*\(default: 500; -1: without end\)/,
    eval: /--unknown <what> .*\s+similar ones: error, skip, map \(default: error\)/,
    bench: /--threads <n> .*\(default: one for each core\)/,
    doctor: /--json +Print JSON on standard output: one object/,
    info: /--out <folder> .*\(default: checkpoints\)/,
  };
  for (const [command, shown] of Object.entries(defaults)) {
    const { stdout, stderr, loaded } = await help(command, command, "--help");
    assert.equal(stderr, "");
    assert.match(stdout, shown);
    assert.match(stdout, new RegExp(`^Examples:\\n {2}charnn ${command}`, "m"));
    assert.match(loaded, /cli\/main\.js/);
    assert.doesNotMatch(loaded, HEAVY, command);
    for (const line of stdout.split("\n")) assert.ok(line.length <= 100, line);
    assert.equal((await charnn(t, [command, "-h"])).stdout, stdout);
  }
  const whole = await help("whole", "--help");
  assert.match(whole.stdout, / {2}charnn train book\.txt$/m);
  assert.doesNotMatch(whole.loaded, HEAVY);

  const version = await help("version", "--version");
  const packageFile = new URL("../../package.json", import.meta.url);
  assert.equal(version.stdout, `${JSON.parse(await readFile(packageFile, "utf8")).version}\n`);
  assert.doesNotMatch(version.loaded, HEAVY);
  // The trace sees what it looks for.
  assert.match((await help("info-runs", "info")).loaded, HEAVY);
});
