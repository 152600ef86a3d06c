import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import {
  charnn,
  filesIn,
  foxFolder,
  jsonLines,
  SMALL,
  sentences,
  shell,
} from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { slow } from "../helpers/slow.js";
import { isWindows, noShell, slashed } from "../helpers/system.js";

const CONCURRENTLY = { concurrency: 2 };

/** What is typed, and what must be said. */
type Case = readonly [args: string | readonly string[], ...says: string[]];

/** Checks that commands are refused as a person would wish, and that no file has changed. */
async function assertRefused(
  t: TestContext,
  cwd: string,
  code: 1 | 2,
  cases: readonly Case[],
): Promise<void> {
  const before = await filesIn(cwd);
  const refused = async (sub: TestContext, [typed, ...says]: Case) => {
    const args = typeof typed === "string" ? typed.split(" ") : typed;
    const { stdout, stderr, ...end } = await charnn(sub, args, { cwd });
    assert.deepEqual(end, { code, signal: null }, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^Error: [^\n]+\n(?:[^\n]+\n)?$/, "one or two lines");
    for (const part of says) {
      assert.ok(stderr.includes(part), `${JSON.stringify(stderr)} does not say ${part}`);
    }
  };
  await t.test("each is refused", CONCURRENTLY, async (all) => {
    await Promise.all(cases.map((one) => all.test(`${one[0]}`, (sub) => refused(sub, one))));
  });
  assert.deepEqual(await filesIn(cwd), before);
}

slow("what is typed wrong is named, with what would work", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const cases: Case[] = [
    ["train fox.txt --hidden-size 0", "--hidden-size", "from 1 to 65,536", "not 0"],
    ["train fox.txt --hidden-size abc", "--hidden-size", "must be a number", 'not "abc"'],
    ["train fox.txt --hidden-size 1.5", "--hidden-size", "whole number", "not 1.5"],
    ["train fox.txt --hidden-size 1e99", "--hidden-size", "not 1e+99"],
    ["train fox.txt --hidden-size", "--hidden-size", "argument missing"],
    ["train fox.txt --dropout 1", "--dropout", "from 0 to below 1", "not 1"],
    ["train fox.txt --validation 1", "--validation", "from 0 to below 1", "not 1"],
    ["train fox.txt --validation 0.6 --test 0.5", "--validation 0.6", "--test 0.5", "below 1"],
    ["train fox.txt --learning-rate -1", "--learning-rate", "must be above 0", "not -1"],
    ["train fox.txt --max-time 10x", "--max-time", "90s, 10m or 2h", 'not "10x"'],
    ["train fox.txt --cell gruu", "--cell", "gru, lstm or rnn", 'not "gruu"'],
    [
      "train fox.txt --documents words",
      '--documents "words"',
      "no such mark",
      "lines, paragraphs or files",
    ],
    ["train fox.txt --encoding klingon", '"klingon"', "utf-8", "latin1"],
    ["train fox.txt --name a/b", '"a/b"', "slashes", "--out"],
    ["train fox.txt --resume --overwrite", "--resume", "--overwrite", "Leave one of them out"],
    ["train - -", "standard input (-) is named twice"],
    ["train", "'files'", "charnn train book.txt"],
    ["train fox.txt --hiden-size 8", "'--hiden-size'", "Did you mean --hidden-size?"],
    ["train fox.txt --colour", "'--colour'", "charnn train --help"],
    ["train fox.txt -num_layers 2", "-num_layers has one dash", "--layers"],
    ["train fox.txt -rnn_size=64", "-rnn_size=64 has one dash", "--hidden-size=64"],
    ["sample -length 5", "-length has one dash", "--length"],
    ["trian fox.txt", "'trian'", "Did you mean charnn train?"],
    ["eval fox", "'files'", "charnn eval night other.txt"],
    ["info fox fox", "Too many arguments", "charnn info --help"],
    ["sample --temperature -1", "--temperature", "0 or more", "not -1"],
    ["sample --temperature warm", "--temperature", "must be a number", 'not "warm"'],
    ["sample -n -2", "--length", "from -1 up", "not -2"],
    ["sample -n 0.5", "--length", "whole number", "not 0.5"],
    ["sample --top-p 2", "--top-p", "at most 1", "not 2"],
    ["sample --count 0", "--count", "from 1 to 4,096", "not 0"],
    ["sample --seed a --seed-file fox.txt", "--seed and --seed-file", "Leave one of them out"],
    ["sample -n -1 --count 2", "--length -1 never ends", "--stop"],
    ["train fox.txt --threads 0", "--threads", "from 1 to 1,024", "not 0"],
    ["eval fox fox.txt --threads 1025", "--threads", "from 1 to 1,024", "not 1025"],
    ["sample --threads all", "--threads", "must be a number", 'not "all"'],
    ["doctor --yes", "--yes belongs to --install-compiler and --install-tensorflow"],
    ["doctor --gpu", "--gpu belongs to --install-tensorflow"],
    ["sample --backend gpu", "--backend", "auto, native, wasm, tensorflow or cpu", 'not "gpu"'],
    ["bench --steps 0", "--steps", "from 1 up", "not 0"],
    ["bench --steps 1e16", "--steps", "from 1 to 1,000,000,000,000,000", "not 1"],
    ["bench --streams 0.5", "--streams", "from 1 to 4,096", "not 0.5"],
    ["bench --vocabulary-size 65537", "--vocabulary-size", "from 1 to 65,536", "not 65537"],
    ["bench --cell gruu", "--cell", "gru, lstm or rnn", 'not "gruu"'],
    ["bench --dropout 1", "--dropout", "from 0 to below 1", "not 1"],
    ["bench --threads 1.5", "--threads", "whole number", "not 1.5"],
    ["bench --hidden-size 65536 --layers 64", "GB of memory", "--hidden-size"],
    ["bench --learning-rate 1", "'--learning-rate'", "charnn bench --help"],
    ["bench fox.txt", "Too many arguments", "charnn bench --help"],
    ["doctor fox.txt", "Too many arguments", "charnn doctor --help"],
    ["sample -n -1 --json", "--length -1 never ends", "--stop"],
  ];
  await assertRefused(t, cwd, 2, cases);
});

slow("a text that can't be learned from is refused", async (t) => {
  const cwd = await foxFolder(t);
  const put = (name: string, content: string | Uint8Array) =>
    writeFile(path.join(cwd, name), content);
  await mkdir(path.join(cwd, "folder"));
  await put("empty.txt", "");
  await put("blank.txt", "");
  await put("one.txt", "a");
  await put("same.txt", "a".repeat(500));
  await put("latin.txt", Buffer.from("Un café, un thé. ".repeat(100), "latin1"));
  await put("binary.dat", Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 0, 0, 1, 2));
  await put("short.txt", sentences(6));
  const cases: [args: string, ...says: string[]][] = [
    ["nosuch.txt", '"nosuch.txt"', path.join(cwd, "nosuch.txt")],
    ["fox.txt nosuch.txt", '"nosuch.txt"'],
    [
      "https://example.org/a.txt",
      "downloads nothing",
      "curl -L https://example.org/a.txt | charnn train -",
    ],
    ["data/shakespeare.txt", '"data/shakespeare.txt"', "`npm run data`"],
    ["empty.txt", '"empty.txt" is empty: there is nothing to learn', "thousand characters"],
    ["empty.txt blank.txt", 'The text of "empty.txt", "blank.txt" is empty'],
    ["-", "The standard input is empty"],
    ["folder", '"folder" has no text files', "Hidden files"],
    ["binary.dat", '"binary.dat"', "an ELF file", "Name a text file"],
    ["latin.txt", '"latin.txt" is not UTF-8', "0xE9 at offset 6", "--encoding windows-1252"],
    ["same.txt", '"same.txt" is "a" (U+0061) throughout', "thousand characters"],
    ["fox.txt --validation-file nosuch.txt", '"nosuch.txt"'],
    ["short.txt --batch-size 16 --seq-length 64", "1,088 characters", "--seq-length 17"],
  ];
  await assertRefused(t, cwd, 1, [["train one.txt", '"one.txt" is a single character']]);
  // Two at once that find no such folder may leave it to each other.
  await mkdir(path.join(cwd, "checkpoints"));
  await assertRefused(
    t,
    cwd,
    1,
    cases.map(([args, ...says]) => [`train ${args}`, ...says]),
  );
  await t.test("the encoding that is right helps", async (sub) => {
    const args = ["train", "latin.txt", "--encoding", "latin1", "--json", ...SMALL];
    const { code, stdout } = await charnn(sub, args, { cwd });
    assert.equal(code, 0);
    const [start] = jsonLines(stdout).filter(({ event }) => event === "start");
    assert.equal(start.config.text.characters, 1700);
  });
});

test("a folder that can't be written to is named before training begins", async (t) => {
  const cwd = await foxFolder(t);
  await mkdir(path.join(cwd, "runs"));
  await writeFile(path.join(cwd, "runs", "taken"), "a file");
  const train = ["train", "fox.txt", ...SMALL, "--name", "taken", "--out"];
  const cases: Case[] = [
    [
      [...train, path.join("fox.txt", "runs")],
      path.join("fox.txt", "runs"),
      isWindows ? "a file of that name" : "is a file",
      "--out",
    ],
    [[...train, "runs"], path.join("runs", "taken"), "a file of that name", "--out"],
  ];
  if (process.platform === "linux") cases.push([[...train, "/proc/runs"], "/proc/runs", "--out"]);
  await assertRefused(t, cwd, 1, cases);
});

slow("a checkpoint that is damaged, or none of charnn's, is refused", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const run = path.join(cwd, "checkpoints", "fox");
  const whole = await readFile(path.join(run, "last.safetensors"));
  const changed = Buffer.from(whole);
  changed[changed.length - 1000] ^= 0x10;
  const header = Buffer.from('{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}');
  const foreign = Buffer.concat([Buffer.alloc(8), header, Buffer.alloc(4)]);
  foreign.writeBigUInt64LE(BigInt(header.length));
  await writeFile(path.join(cwd, "cut.safetensors"), whole.subarray(0, whole.length - 100));
  await writeFile(path.join(cwd, "nothing.safetensors"), "");
  await writeFile(path.join(cwd, "changed.safetensors"), changed);
  await writeFile(path.join(cwd, "foreign.safetensors"), foreign);
  await assertRefused(t, cwd, 1, [
    ["sample cut.safetensors", "cut.safetensors can't be used", "may be whole"],
    ["sample nothing.safetensors", "nothing.safetensors can't be used"],
    ["sample changed.safetensors", "changed.safetensors can't be used", "checksum"],
    ["info changed.safetensors", "changed.safetensors can't be used", "checksum"],
    ["eval changed.safetensors fox.txt", "changed.safetensors can't be used", "checksum"],
    [
      "sample foreign.safetensors",
      "foreign.safetensors",
      "not a checkpoint of charnn",
      "charnn import",
    ],
    ["sample fox.txt", "fox.txt can't be used: it is not a checkpoint.", "Name a run"],
    ["sample checkpoints/fox/metrics.jsonl", "it is the metrics of a run, not a checkpoint."],
  ]);
  // A run whose last checkpoint is damaged stays as it is.
  await writeFile(path.join(run, "last.safetensors"), changed);
  await assertRefused(t, cwd, 1, [
    ["train fox.txt --name fox --resume", "last.safetensors", "exactly from step 5", "--init-from"],
  ]);
  await assertRefused(t, cwd, 1, [["train fox.txt --name fox", "--overwrite"]]);
});

test("a run that is not there is answered with those that are", async (t) => {
  const empty = await temporaryFolder(t);
  await assertRefused(t, empty, 1, [
    ["sample", "no run in checkpoints", "charnn train FILE"],
    ["sample fox", '"fox"', "charnn train"],
  ]);
  const cwd = await foxFolder(t, { trained: true });
  await assertRefused(t, cwd, 1, [
    ["sample nosuchrun", '"nosuchrun"', "are: fox."],
    ["eval nosuchrun fox.txt", '"nosuchrun"', "are: fox."],
    ["info nosuchrun", '"nosuchrun"', "are: fox."],
    ["sample checkpoints", "checkpoints has no checkpoint"],
  ]);
});

test("a seed that the model can't read is answered with what it can", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  await mkdir(path.join(cwd, "folder"));
  await writeFile(path.join(cwd, "latin.txt"), Buffer.from("café", "latin1"));
  await assertRefused(t, cwd, 1, [
    [["sample", "--seed", "Thé 日"], '"é" (U+00E9)', '"日" (U+65E5)', 'knows "e" for "é"'],
    ["sample --seed-file nosuch.txt", '"nosuch.txt"', "no file or folder"],
    ["sample --seed-file folder", '"folder"', "a folder"],
    ["sample --seed-file latin.txt", '"latin.txt"', "not UTF-8"],
  ]);
});

test("a seed of digits is used, with a hint at --random-seed", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const { code, stdout, stderr } = await charnn(t, ["sample", "--seed", "42", "-n", "5"], { cwd });
  assert.equal(code, 0);
  assert.match(stdout, /^42[\s\S]{5}\n$/);
  assert.match(stderr, /^[^\n]*--random-seed 42[^\n]*\n$/);
});

test("a name that is taken is refused, with both ways out", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  await writeFile(path.join(cwd, "other.txt"), sentences(50));
  const train = (...args: string[]) => ["train", "fox.txt", "--name", "fox", ...args];
  // One after the other: each has the run to itself for a moment.
  const cases: Case[] = [
    [train(...SMALL), "fox already", "--resume", "--overwrite"],
    [train("--resume", "--hidden-size", "9"), "--hidden-size is 8", "not 9"],
    ["train other.txt --name fox --resume", "another text", "3,291 characters"],
  ];
  for (const one of cases) await assertRefused(t, cwd, 1, [one]);

  const resumed = await charnn(t, train("--resume", ...SMALL), { cwd });
  assert.equal(resumed.code, 0);
  assert.match(slashed(resumed.stderr), /checkpoints\/fox is already finished: .* --steps/);
  const last = path.join(cwd, "checkpoints", "fox", "last.safetensors");
  const before = await readFile(last);
  const anew = await charnn(t, train("--overwrite", ...SMALL, "--random-seed", "1"), { cwd });
  assert.equal(anew.code, 0);
  assert.notDeepEqual(await readFile(last), before);
});

slow("options of other programs are understood", async (t) => {
  const cwd = await foxFolder(t);
  const args =
    "--rnn_size 6 --num-layers 2 --lr 0.01 --grad_clip=3 --max_iters 2 --block_size=20 --model LSTM --name pasted --json";
  const { code, stdout, stderr } = await charnn(t, ["train", "fox.txt", ...args.split(" ")], {
    cwd,
  });
  assert.equal(code, 0, stderr);
  const [{ config, totalSteps }] = jsonLines(stdout);
  const { cell, hiddenSize, layers } = config.model;
  assert.deepEqual({ cell, hiddenSize, layers }, { cell: "lstm", hiddenSize: 6, layers: 2 });
  const { learningRate, clipNorm, seqLength } = config.training;
  assert.deepEqual([learningRate, clipNorm, seqLength, totalSteps], [0.01, 3, 20, 2]);

  const own = ["sample", "--seed", "The", "-n", "12", "--temperature", "0.5", "--random-seed", "1"];
  const pasted = [
    "sample",
    "--primetext",
    "The",
    "--max-new-tokens",
    "12",
    "--temp=0.5",
    "--random-seed",
    "1",
  ];
  const outcome = await charnn(t, own, { cwd });
  assert.equal(outcome.code, 0);
  assert.deepEqual(await charnn(t, pasted, { cwd }), outcome);
});

test("what is odd about a text is a warning", CONCURRENTLY, async (t) => {
  const cwd = await foxFolder(t);
  const cases: [name: string, text: string, says: RegExp][] = [
    [
      "carriage returns",
      sentences(60).replaceAll("\n", "\r"),
      /60 carriage returns .*--line-ends lf/,
    ],
    ["a byte order mark", `\ufeff${sentences(60)}`, /byte order mark .* left out/],
    ["characters only in the held-out part", `${sentences(60)}Ä€`, /2 characters .*only in .*"Ä"/],
    [
      "too little text for the defaults",
      "Once upon a time. ".repeat(16),
      /short \(259 characters\): batch size \d+ and sequence length \d+ are used/,
    ],
  ];
  const all = cases.map(([name, text, says], k) =>
    t.test(name, async (sub) => {
      await writeFile(path.join(cwd, `${k}.txt`), text);
      const args = ["train", `${k}.txt`, "--quiet", ...SMALL];
      const { code, stdout, stderr } = await charnn(sub, args, { cwd });
      assert.equal(code, 0, stderr);
      assert.equal(slashed(stdout), `checkpoints/${k}-gru-1x8/best.safetensors\n`);
      assert.match(stderr, /^Warning: [^\n]+\n$/);
      assert.match(stderr, says);
    }),
  );
  await Promise.all(all);
});

slow("results that can't be written are an error", { skip: noShell }, async (t) => {
  if (process.platform !== "linux") return t.skip("there is no /dev/full");
  const cwd = await foxFolder(t, { trained: true });
  const train = "train fox.txt --name other --hidden-size 8 --steps 10000 --json";
  for (const command of ["sample", train]) {
    const { code, stderr } = await shell(t, `charnn ${command} > /dev/full`, { cwd });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^Error: The standard output can't be written: the disk is full\.\n.+, or send the output elsewhere\.\n$/,
    );
  }
});
