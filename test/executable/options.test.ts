/** No option that is given is ignored without a word. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { charnn, foxFolder, jsonLines } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { slow } from "../helpers/slow.js";

slow("one option with two values is refused, and both are named", async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(path.join(cwd, "alias.json"), '{"max_epochs": 1}');
  await writeFile(path.join(cwd, "two.json"), '{"lr": 1, "learningRate": 2}');
  const cases: [line: string, ...says: string[]][] = [
    [
      "sample --start=the --seed=1337",
      "--start=the and --seed=1337",
      "--seed",
      "--random-seed 1337",
    ],
    ["sample --prompt a --seed b", "--prompt a and --seed b"],
    ["sample -n 5 --length 6", "-n 5 and --length 6", "--length"],
    ["sample -n5 --max_new_tokens=6", "-n5 and --max_new_tokens=6"],
    ["sample --start=FILE:a.txt --seed-file b.txt", "--start=FILE:a.txt and --seed-file b.txt"],
    ["sample --greedy --temperature 0.5", "--greedy", "--temperature 0.5"],
    ["train f.txt --epochs 5 --max_epochs 1", "--epochs 5 and --max_epochs 1", "--epochs"],
    ["train f.txt --epochs 5 --epochs 6", "--epochs 5 and --epochs 6"],
    ["train f.txt --lr 1 --learning-rate=2", "--lr 1 and --learning-rate=2"],
    ["train f.txt --config alias.json --epochs 5", '"max_epochs": 1 in alias.json and --epochs 5'],
    ["train f.txt --config two.json", '"lr": 1 in two.json', '"learningRate": 2 in two.json'],
    ["train f.txt --config two.json --config alias.json", "--config two.json and --config"],
    ["bench --hidden 8 --hidden-size 9", "--hidden 8 and --hidden-size 9"],
  ];
  for (const [line, ...says] of cases) {
    const { stderr, ...outcome } = await charnn(t, line.split(" "), { cwd });
    assert.deepEqual([outcome.code, outcome.stdout], [2, ""], `${line}\n${stderr}`);
    for (const part of says) assert.ok(stderr.includes(part), `${line}\n${stderr}`);
  }
});

test("what is typed wins over the same option in a file, and the same value may stand twice", async (t) => {
  const cwd = await foxFolder(t);
  const options = {
    $schema: "charnn.schema.json",
    hidden_size: 64,
    learningRate: 0.5,
    steps: 3,
    tensorboard: false,
    name: null,
  };
  await writeFile(path.join(cwd, "options.json"), `\ufeff${JSON.stringify(options)}`);
  const typed = "--config=options.json --hidden-size 8 --lr 0.5 --learning-rate 0.5 --json".split(
    " ",
  );
  const { code, stdout, stderr } = await charnn(t, ["train", "fox.txt", ...typed], { cwd });
  assert.equal(code, 0, stderr);
  const [{ config }] = jsonLines(stdout).filter(({ event }) => event === "start");
  assert.deepEqual(
    [config.model.hiddenSize, config.training.learningRate, config.limits.steps],
    [8, 0.5, 3],
  );
});

slow("a file of options may have the line ends and the mark of Windows", async (t) => {
  const cwd = await foxFolder(t);
  const options = '\ufeff{\r\n  "hidden-size": 8,\r\n  "steps": 2\r\n}\r\n';
  await writeFile(path.join(cwd, "options.json"), options);
  const args = ["train", "fox.txt", "--config", "options.json", "--json"];
  const { code, stdout, stderr } = await charnn(t, args, { cwd });
  assert.equal(code, 0, stderr);
  assert.equal(jsonLines(stdout).at(-1)?.step, 2);
});

slow("a file that holds no options is refused, and what is wrong with it is named", async (t) => {
  const cwd = await foxFolder(t);
  const cases: [content: string, says: RegExp][] = [
    ['{"colour": 1}', /"colour" is no option/],
    ['{"files": "a"}', /"files" is no option/],
    ['{"config": "a.json"}', /"config" can only be typed, and is in options\.json/],
    ['{"mpi": "off"}', /"mpi" can only be typed/],
    [`{"dropout": ${"[".repeat(100_000)}${"]".repeat(100_000)}}`, /"dropout" must be a text/],
    [`{"dropout": "${"a".repeat(100_000)}"}`, /must be a number, .*, not "a{60}\.\.\."/],
    [" ".repeat(2_000_000), /longer than all options together/],
    ['{"epochs": true}', /"epochs" must be a text or a number/],
    ['{"epochs": [1]}', /"epochs" must be a text or a number/],
    ['{"resume": "yes"}', /"resume" must be true or false/],
    ['{"resume": 1}', /"resume" must be true or false/],
    ['{"steps": 1e999}', /--steps must be a number/],
    ['{"lr": 1, "steps": 5, "lr": 1}', /options\.json gives two values.*: "lr" is there twice/],
    ['{"resume": true, "resume": false}', /"resume" is there twice/],
    ['{"st\\u0065ps": 1, "steps": 2}', /"steps" is there twice/],
    [
      '{"batchSize": null, "name": "{\\":", "batch_size": 4}',
      /"batchSize" and "batch_size" are one/,
    ],
    ["[1]", /not an object/],
    ["{", /JSON/],
    ['{"name": ""}', /--name must not be empty/],
  ];
  for (const [content, says] of cases) {
    await writeFile(path.join(cwd, "options.json"), content);
    const args = ["train", "fox.txt", "--config", "options.json", "--hidden-size", "8"];
    const { code, stderr } = await charnn(t, args, { cwd });
    assert.equal(code, 2, content + stderr);
    assert.match(stderr, says);
  }
});

slow("an option that would be ignored is refused", async (t) => {
  const cwd = await temporaryFolder(t);
  for (const [line, says] of [
    ["train f.txt --validation 0.2 --validation-file v.txt", "--validation does nothing beside"],
    ["train f.txt --stride 3", "--stride does nothing without --batching"],
    ["train f.txt --stride 3 --batching lanes", "--stride does nothing without --batching windows"],
    [
      "train f.txt --section-windows 8 --batching windows",
      "--section-windows does nothing beside --batching windows",
    ],
    [
      "train f.txt --section-windows 8 --documents lines",
      "--section-windows does nothing beside --documents",
    ],
    [
      "train f.txt --ngram-order 1 --ngram-dropout 0.2",
      "--ngram-dropout does nothing beside --ngram-order 1",
    ],
    ["bench --ngram-rows 100", "--ngram-rows does nothing without --ngram-order"],
    ["plot --json --width 50", "--width does nothing beside --json"],
    ["sample --encoding latin1", "--encoding does nothing without --seed-file or --training-text"],
    ["sample --invalid skip", "--invalid does nothing without --seed-file or --training-text"],
    ["report --invalid skip", "--invalid does nothing without --text"],
    ["report --unknown skip", "--unknown does nothing without --text"],
  ]) {
    const { stderr, ...outcome } = await charnn(t, line.split(" "), { cwd });
    assert.deepEqual([outcome.code, outcome.stdout], [2, ""], stderr);
    assert.ok(stderr.includes(says), stderr);
  }
});

slow("a number is written as numbers are, and nothing is not a value", async (t) => {
  const cwd = await foxFolder(t);
  for (const value of ["0x10", "1_000", "1e999", "0b1", "Infinity", "1,000", "5 6", "--"]) {
    const { code, stderr } = await charnn(t, ["train", "fox.txt", `--steps=${value}`], { cwd });
    assert.equal(code, 2, stderr);
    assert.match(stderr, /^Error: --steps must be a number, such as 12 or 4e-3, not /);
  }
  for (const option of [
    "steps",
    "out",
    "name",
    "init-from",
    "encoding",
    "validation-file",
    "config",
  ]) {
    const { code, stderr } = await charnn(t, ["train", "fox.txt", `--${option}=`], { cwd });
    assert.equal(code, 2, stderr);
    assert.match(stderr, new RegExp(`^Error: --${option} must not be empty\\.`));
  }
  const { code, stderr } = await charnn(t, ["train", "fox.txt", "--max-time", "1e999"], { cwd });
  assert.deepEqual([code, /must be a time above 0/.test(stderr)], [2, true], stderr);
});

slow("a prompt is read from a file where nanoGPT reads it", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  await writeFile(path.join(cwd, "prompt.txt"), "The quick");
  const sample = (...args: string[]) =>
    charnn(t, ["sample", "-n", "9", "--random-seed", "1", ...args], { cwd });
  const own = await sample("--seed-file", "prompt.txt");
  assert.equal(own.code, 0, own.stderr);
  assert.match(own.stdout, /^The quick/);
  assert.deepEqual(await sample("--start=FILE:prompt.txt"), own);
  assert.deepEqual(await sample("--start", "FILE:prompt.txt"), own);
  assert.deepEqual(await sample("--prompt=FILE:prompt.txt"), own);
  assert.match((await sample("--start=FILE:none.txt")).stderr, /no file or folder "none\.txt"/);
});

test("a list of numbers that is none is answered with one, and words without quotes with quotes", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  for (const [line, message] of [
    [
      "sample fox -t 1,,2",
      /^Error: --temperature must be a number, or several such as 1,0\.5,0\.2, not "1,,2"\.$/m,
    ],
    ["sample fox --mix a,b", /^Error: --mix must be a number, or several such as /m],
    [
      "next fox the lazy dog",
      /^A text of several words stands in quotes: charnn next fox 'the lazy dog'$/m,
    ],
    ["sample fox the lazy -n 5", /--seed 'the lazy'$/m],
    ["sample fox --match a{1,100000}", /^Write \+ or \* in place of large counts/m],
    ["sample fox --match /[a-z]+/i", /^Leave out the slashes: --match "\(\?i:\[a-z\]\+\)"\.$/m],
    [
      "sample fox --best-of 5000 -n 100000000",
      /^Error: --best-of must be a whole number from 1 to 4,096, not 5000\.$/m,
    ],
  ] as const) {
    const { code, stdout, stderr } = await charnn(t, line.split(" "), { cwd });
    assert.equal(stdout, "");
    assert.ok(code === 1 || code === 2);
    assert.match(stderr, message);
  }
  const quoted = await charnn(t, ["next", "fox", "the lazy dog"], { cwd });
  assert.equal(quoted.code, 0, quoted.stderr);
});
