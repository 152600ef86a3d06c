import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { charnn, foxFolder, jsonLines, sentences, shell } from "../helpers/executable.js";
import { onTerminal, withPseudoTerminal } from "../helpers/pseudo-terminal.js";
import { slow } from "../helpers/slow.js";
import { noShell } from "../helpers/system.js";

const SONNETS = fileURLToPath(new URL("../../data/shakespeare.txt", import.meta.url));
const SOURCES = fileURLToPath(new URL("../../src/", import.meta.url));

slow("score shows the surprise of a text", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  await writeFile(path.join(cwd, "letter.txt"), `${sentences(2)}\nwas für ein Fuchs\n`);
  const score = async (args: string[], env = {}, stdin = "", unknown = "skip") => {
    const all = ["score", "fox", "--unknown", unknown, ...args];
    const outcome = await charnn(t, all, { cwd, env, stdin });
    assert.equal(outcome.code, 0, outcome.stderr);
    return outcome;
  };

  await t.test("as a figure before each line, where there are no colours", async () => {
    const { stdout, stderr } = await score(["letter.txt"]);
    const text = await readFile(path.join(cwd, "letter.txt"), "utf8");
    const lines = stdout.split("\n").map((line) => line.split("\t"));
    assert.equal(lines.map(([, line]) => line).join("\n"), text);
    assert.ok(lines.slice(0, -1).every(([bits, line]) => (line ? Number(bits) > 0 : bits === "-")));
    assert.match(
      stderr,
      /^letter\.txt: \d\.\d{3} bits per character, \d+ characters; \d+ left out/,
    );
    assert.equal(stdout, stripVTControlCharacters(stdout));
  });

  await t.test("as one object for each line, whose characters may be left out", async () => {
    const { stdout } = await score(["-", "--lines", "--json"], {}, "the fox\n\nfür Ä");
    const lines = jsonLines(stdout);
    assert.deepEqual(
      lines.map(({ bitsPerCharacter, ...line }) => line),
      [
        { file: "-", line: 1, text: "the fox", characters: 7, unknown: 0, mapped: 0 },
        { file: "-", line: 2, text: "", characters: 0, unknown: 0, mapped: 0 },
        { file: "-", line: 3, text: "für Ä", characters: 5, unknown: 2, mapped: 0 },
      ],
    );
    assert.deepEqual(
      lines.map(({ bitsPerCharacter }) => bitsPerCharacter > 0),
      [true, false, true],
    );
    const whole = jsonLines((await score(["-", "--json"], {}, "the fox\n\nfür Ä")).stdout);
    assert.deepEqual(
      whole.map(({ bits, ...line }) => line),
      lines,
    );
    const [first] = whole;
    const mean = first.bits.reduce((sum: number, bits: number) => sum + bits, 0) / 7;
    assert.ok(Math.abs(mean - first.bitsPerCharacter) < 1e-6);
    assert.equal(whole[2].bits[4], null);
  });

  await t.test("with similar characters in place of those that the model lacks", async () => {
    const written = "for a fóx ﬁx Ê\n";
    const { stdout, stderr } = await score(["-", "--lines", "--json"], {}, written, "map");
    const [line] = jsonLines(stdout);
    assert.deepEqual([line.text, line.unknown, line.mapped], ["for a fóx ﬁx Ê", 3, 3]);
    const said =
      /^Warning: 3 characters .* were read as others: "ó" as "o", "ﬁ" as "fi", "Ê" as "e"$/m;
    assert.match(stderr, said);
  });

  await t.test("in colours, where there are some", async () => {
    const { stdout, stderr } = await score(["-"], { FORCE_COLOR: "3" }, "the fox\x07zzz\n");
    const plain = stripVTControlCharacters(stdout);
    assert.equal(plain, "the fox\\x07zzz\n");
    assert.notEqual(plain, stdout);
    assert.match(stderr, /Bits per character: under 1 .* 1 to 2 .* 2 to 4 .* 4 to 6 .* 6 and more/);
    const without = await score(["-"], { FORCE_COLOR: "3", NO_COLOR: "1" }, "the fox\n");
    assert.match(without.stdout, /^\d\.\d{3}\tthe fox\n$/);
  });

  await t.test("to runs that predict together", async () => {
    const more = ["train", "fox.txt", "--name", "hare", "--hidden-size", "4", "--steps", "3"];
    assert.equal((await charnn(t, more, { cwd })).code, 0);
    const mixing = ["letter.txt", "--also", "hare", "--mix", "1,3"];
    const lines = jsonLines((await score([...mixing, "--json"])).stdout);
    assert.deepEqual(lines[0].members, [
      { run: "fox", share: 0.25 },
      { run: "hare", share: 0.75 },
    ]);
    assert.ok(lines[0].bitsPerCharacter > 0 && lines[0].bits.length === lines[0].characters);
    const [fox] = jsonLines((await score(["letter.txt", "--json"])).stdout);
    assert.notEqual(lines[0].bitsPerCharacter, fox.bitsPerCharacter);
    const { stdout } = await score([...mixing, "--lines"]);
    assert.match(stdout, /^\d\.\d{3}\tThe quick/);
    const colored = await score(mixing, { FORCE_COLOR: "3" });
    assert.notEqual(colored.stdout, stripVTControlCharacters(colored.stdout));
  });

  await t.test("and refuses what can't be", async () => {
    for (const [args, code, said] of [
      [["fox", "letter.txt"], 1, /"ü" \(U\+00FC\).*line \d+, column 6/],
      [["fix", "letter.txt"], 1, /no run and no checkpoint "fix"/],
      [["fox", "none.txt"], 1, /no file or folder "none.txt"/],
      [["fox", "letter.txt", "--labels"], 2, /only one is given.*\n.*--also/],
      [["fox", "letter.txt", "--mix", "1,1"], 2, /--mix does nothing without --also/],
      [
        ["fox", "letter.txt", "--also", "hare", "--mix", "1,1", "--labels"],
        2,
        /--labels does nothing beside --mix/,
      ],
      [["fox"], 2, /files/],
    ] as const) {
      const outcome = await charnn(t, ["score", ...args], { cwd });
      assert.deepEqual([outcome.code, outcome.stdout], [code, ""], outcome.stderr);
      assert.match(outcome.stderr, said);
    }
  });
});

slow("score tells sonnets from source code, line by line", { skip: noShell }, async (t) => {
  const cwd = await foxFolder(t);
  const sonnets = (await readFile(SONNETS, "utf8")).split("\n");
  const code = (await readFile(path.join(SOURCES, "training/trainer.ts"), "utf8")).split("\n");
  const others = (await readFile(path.join(SOURCES, "data/batches.ts"), "utf8")).split("\n");
  for (const [name, learned, kept] of [
    ["sonnets", sonnets.slice(0, -250), sonnets.slice(-250)],
    ["code", [...code, ...others.slice(0, -100)], others.slice(-100)],
  ] as const) {
    await mkdir(path.join(cwd, "texts", name), { recursive: true });
    await writeFile(path.join(cwd, "texts", name, "kept.txt"), kept.join("\n"));
    await writeFile(path.join(cwd, `${name}.txt`), learned.join("\n"));
    const args = ["train", `${name}.txt`, "--name", name, "--preset", "tiny", "--steps", "250"];
    assert.equal((await charnn(t, args, { cwd })).code, 0);
  }
  const skipping = ["score", "sonnets", "--unknown", "skip"];
  const compared = [...skipping, "texts", "--also", "code", "--labels"];
  const { stdout } = await charnn(t, [...compared, "--lines", "--json"], { cwd });
  const lines = jsonLines(stdout);
  const { accuracy, right, all, byLabel } = lines.pop();
  assert.ok(all > 290, `${all} lines`);
  assert.ok(accuracy > 0.99, `${accuracy}`);
  assert.equal(right, byLabel.sonnets.right + byLabel.code.right);
  const counted = lines.filter(({ best }) => best !== null);
  assert.equal(counted.length, all);
  assert.equal(counted.filter(({ best, label }) => best === label).length, right);
  assert.ok(
    counted.every(({ byRun, best }) => byRun[best] === Math.min(byRun.sonnets, byRun.code)),
  );

  const whole = await charnn(t, compared, { cwd });
  assert.match(whole.stdout, /^code\t\d+\.\d+\t\d+\.\d+\ttexts\/code\/kept\.txt\nsonnets\t/);
  assert.match(
    whole.stderr,
    /\nsonnets +1 of 1 texts +100\.00 %\ncode +1 of 1 .*\nall +2 of 2 .*\n/,
  );
  const alone = await charnn(t, [...compared.slice(0, -1), "--lines", "--fresh"], { cwd });
  assert.equal(alone.stdout.split("\n").length, lines.length + 1);

  const elsewhere = await charnn(t, [...skipping, "code.txt", "--also", "code", "--labels"], {
    cwd,
  });
  assert.equal(elsewhere.code, 2);
  assert.match(elsewhere.stderr, /code\.txt is in no folder with the name of a run/);
  if (!withPseudoTerminal.skip) {
    const shown = await onTerminal(t, "charnn score sonnets texts --also code --unknown skip", {
      cwd,
    });
    assert.match(shown.stdout, /^best\tsonnets\tcode\ttext\r\ncode\t/);
  }
  // A reader that has seen enough is no error.
  const cut = await shell(t, "charnn score sonnets sonnets.txt | head -n 1", { cwd });
  assert.equal(cut.stdout.split("\n").length, 2);
});
