import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { charnn, foxFolder, jsonLines, SMALL, shell } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { slow } from "../helpers/slow.js";
import { noShell } from "../helpers/system.js";

test("sample", { concurrency: 2 }, async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  await writeFile(path.join(cwd, "seed.txt"), "The\nlazy");
  const all: Promise<void>[] = [];
  const check = (name: string, body: (sample: typeof run) => Promise<void>) => {
    all.push(t.test(name, () => body(run)));
  };
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await charnn(t, ["sample", ...args], { cwd });
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
    return stdout;
  };

  check("writes the seed, exactly n new characters, and a newline", async (sample) => {
    const text = await sample("--seed", "The qui", "-n", "30");
    assert.ok(text.startsWith("The qui"));
    assert.ok(text.endsWith("\n"));
    assert.equal(text.length, "The qui".length + 30 + 1);
    assert.equal(await sample("--seed", "The", "-n", "0"), "The\n");
  });

  check(
    "writes the same with the same random seed, and something else with another or with none",
    async (sample) => {
      const text = await sample("-n", "60", "--random-seed", "0");
      assert.equal(await sample("-n", "60", "--random-seed", "0"), text);
      assert.notEqual(await sample("-n", "60", "--random-seed", "1"), text);
      assert.notEqual(await sample("-n", "60"), await sample("-n", "60"));
    },
  );

  check("writes several texts, which do not depend on how many there are", async (sample) => {
    const texts = jsonLines(await sample("-n", "20", "--count", "3", "--seed", "a", "--json"));
    assert.equal(texts.length, 3);
    const [{ randomSeed }] = texts;
    const again = ["--random-seed", `${randomSeed}`];
    for (const { seed, text, ...others } of texts) {
      assert.deepEqual(others, { randomSeed });
      assert.equal(seed, "a");
      assert.equal(text.length, 20);
    }
    assert.equal(new Set(texts.map(({ text }) => text)).size, 3);
    assert.equal(await sample("-n", "20", "--seed", "a", ...again), `a${texts[0].text}\n`);
    const plain = texts.map(({ seed, text }) => seed + text).join("\n\n");
    assert.equal(await sample("-n", "20", "--count", "3", "--seed", "a", ...again), `${plain}\n`);
  });

  check("writes a line between two texts where one is asked for", async (sample) => {
    const args = ["-n", "20", "--count", "3", "--random-seed", "1"];
    const texts = jsonLines(await sample(...args, "--json")).map(({ text }) => text);
    const parted = await sample(...args, "--separator", "---");
    assert.equal(parted, `${texts.join("\n---\n")}\n`);
  });

  check("ends after the text to stop at", async (sample) => {
    const text = await sample("-n", "5000", "--seed", "The", "--stop", "x");
    assert.match(text, /^The[^x]*x\n$/);
    const either = await sample("-n", "5000", "--seed", "The", "--stop", "x", "--stop", "q");
    assert.match(either, /^The[^xq]*[xq]\n$/);
  });

  check("writes by limits on characters, words, lines and a regular expression", async (sample) => {
    assert.match(await sample("-n", "90", "--allow", "a-z ", "--forbid", "e"), /^[a-df-z ]{90}\n$/);
    const matching = await sample("--match", "[a-z]{3}( [a-z]+){2}\\.", "--count", "3");
    for (const text of matching.trimEnd().split("\n\n")) {
      assert.match(text, /^[a-z]{3}( [a-z]+){2}\.$/);
    }
    const words = (await sample("-n", "200", "--words", "fox.txt")).trim().split(/\P{L}+/u);
    const known = new Set((await readFile(path.join(cwd, "fox.txt"), "utf8")).split(/\P{L}+/u));
    for (const word of words) assert.ok(known.has(word), word);
    const lines = await sample("--lines", "3", "-n", "9000", "--max-repeat", "60");
    assert.equal(lines.split("\n").length, 4);
  });

  check(
    "writes lines without empty lines between, so that a program can take them",
    async (sample) => {
      const lines = await sample("--lines", "1", "--count", "5", "--allow", "a-z\\n");
      assert.equal(lines.split("\n").length, 6);
    },
  );

  check("chooses among several texts, and shows how likely each is", async (sample) => {
    const choose = ["-n", "30", "--best-of", "4", "--random-seed", "2"];
    const [best, ...others] = jsonLines(await sample(...choose, "--all", "--json"));
    assert.equal(others.length, 3);
    for (const { bitsPerCharacter } of others) assert.ok(bitsPerCharacter >= best.bitsPerCharacter);
    assert.equal(await sample(...choose), `${best.text}\n`);
    const ranking = await sample(...choose, "--all");
    assert.ok(ranking.includes(`Number 1: ${best.bitsPerCharacter.toFixed(3)} bits per character`));
    assert.ok(ranking.includes(`Number 4: `));
  });

  check("goes on from the text of a file, line ends included", async (sample) => {
    const text = await sample("-n", "10", "--seed-file", "seed.txt");
    assert.ok(text.startsWith("The\nlazy"));
    assert.equal(text.length, 8 + 10 + 1);
  });

  check("is greedy at temperature 0, whatever the random seed", async (sample) => {
    const greedy = await sample("-n", "40", "--greedy", "--random-seed", "0");
    assert.equal(await sample("-n", "40", "-t", "0", "--random-seed", "9"), greedy);
    assert.equal(await sample("-n", "40", "--top-k", "1", "--random-seed", "9"), greedy);
    assert.notEqual(await sample("-n", "40"), greedy);
  });

  check(
    "takes a run by name, folder and file, and the newest when none is given",
    async (sample) => {
      const seeded = ["-n", "20", "--random-seed", "1"];
      const text = await sample(...seeded);
      for (const run of [
        "fox",
        "checkpoints/fox",
        "checkpoints/fox/",
        "checkpoints/fox/last.safetensors",
      ]) {
        assert.equal(await sample(run, ...seeded), text, run);
      }
      assert.equal(await sample("fox", "--out", path.join(cwd, "checkpoints"), ...seeded), text);
    },
  );

  if (!noShell)
    check("without end goes on until nobody reads any more", async () => {
      const line = "charnn sample -n -1 --seed The | head -c 100";
      const { code, stdout, stderr } = await shell(t, line, { cwd });
      assert.equal(stderr, "");
      assert.equal(code, 141, "as any program whose output is closed");
      assert.match(stdout, /^The/);
      assert.equal(stdout.length, 100);
    });

  await Promise.all(all);
});

slow(
  "a seed file that is too long can be shortened as the message advises",
  { skip: noShell },
  async (t) => {
    const cwd = await foxFolder(t, { trained: true });
    await writeFile(path.join(cwd, "FILE"), `${"é".repeat(10_000_000)}quick\n `);
    const seedFrom = (...args: string[]) =>
      charnn(t, ["sample", "fox", "-n", "3", "--seed-file", ...args], { cwd });
    const refused = await seedFrom("FILE");
    const [, command, option] =
      /run (tail .* > NEWFILE), then give --seed-file NEWFILE (--.*)\.\n$/.exec(refused.stderr) ??
      [];
    assert.ok(command, refused.stderr);
    assert.equal((await shell(t, command, { cwd })).code, 0);
    const { stderr } = await seedFrom("NEWFILE", ...option.split(" "));
    assert.match(stderr, /does not know the character "é"/);
    await writeFile(path.join(cwd, "FILE"), "quick ".repeat(1_700_000));
    assert.match((await seedFrom("FILE")).stderr, /more than 10,000,000/);
    await shell(t, command, { cwd });
    assert.equal((await seedFrom("NEWFILE", ...option.split(" "))).code, 0);
  },
);

slow(
  "several runs write one text together, and a text in place of a run is told where it belongs",
  async (t) => {
    const cwd = await foxFolder(t, { trained: true });
    await writeFile(path.join(cwd, "digits.txt"), "0123456789".repeat(200));
    await charnn(t, ["train", "digits.txt", "--name", "digits", "--quiet", ...SMALL], { cwd });
    const sample = (...args: string[]) => charnn(t, ["sample", ...args], { cwd });
    const seeded = ["-n", "40", "--random-seed", "1"];
    const both = await sample("fox", "digits", "--seed", "The 1", ...seeded);
    assert.equal(both.code, 0, both.stderr);
    assert.deepEqual(
      await sample("fox", "digits", "--seed", "The 1", "--mix", "2,2", ...seeded),
      both,
    );
    const mostly = await sample("fox", "digits", "--mix", "1e-9,1", "--seed", "12", ...seeded);
    assert.match(mostly.stdout, /^\d{42}\n$/);
    const wrong = await sample("fox", "digits", "--mix", "1");
    assert.deepEqual([wrong.code, /^Error: --mix has 1 share/.test(wrong.stderr)], [2, true]);
    const text = await sample("fox", "Once upon a time");
    assert.equal(text.code, 1);
    assert.match(text.stderr, /To continue a text: charnn sample fox --seed 'Once upon a time'/);
  },
);

slow(
  "texts of a model of documents with a mark are written with that mark between them",
  async (t) => {
    const cwd = await temporaryFolder(t);
    const pieces = Array.from({ length: 60 }, (_, k) => `ab\n\n${"ba".repeat(1 + (k % 5))}\n`);
    await writeFile(path.join(cwd, "pieces.txt"), pieces.join("<end>\n"));
    const train = ["train", "pieces.txt", "--documents", "<end>", "--name", "pieces", ...SMALL];
    assert.equal((await charnn(t, train, { cwd })).code, 0);
    const args = ["sample", "pieces", "--count", "4", "--random-seed", "1", "-n", "30"];
    const plain = await charnn(t, args, { cwd });
    const texts = jsonLines((await charnn(t, [...args, "--json"], { cwd })).stdout);
    assert.equal(plain.stdout, `${texts.map(({ text }) => text).join("\n<end>\n")}\n`);
    const others = await charnn(t, [...args, "--separator", "* * *"], { cwd });
    assert.equal(others.stdout, `${texts.map(({ text }) => text).join("\n* * *\n")}\n`);
  },
);

slow("the newest run is sampled when none is named", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  await writeFile(path.join(cwd, "digits.txt"), "0123456789".repeat(200));
  await charnn(t, ["train", "digits.txt", "--quiet", ...SMALL], { cwd });
  const { stdout } = await charnn(t, ["sample", "-n", "20"], { cwd });
  assert.match(stdout, /^\d{20}\n$/);
});

test("characters are code points, and none is cut", async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(path.join(cwd, "emoji.txt"), "🙂é𝄞日🦊 ".repeat(300));
  await charnn(t, ["train", "emoji.txt", "--quiet", ...SMALL], { cwd });
  const { code, stdout } = await charnn(t, ["sample", "--seed", "🦊", "-n", "50"], { cwd });
  assert.equal(code, 0);
  const characters = [...stdout];
  assert.equal(characters.length, 1 + 50 + 1);
  for (const character of characters.slice(0, -1)) assert.ok("🙂é𝄞日🦊 ".includes(character));
});

slow("what is not printable reaches a pipe as it is", async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(path.join(cwd, "odd.txt"), "a\u001bb\u0007".repeat(500));
  await charnn(t, ["train", "odd.txt", "--quiet", ...SMALL], { cwd });
  const { stdout } = await charnn(t, ["sample", "-n", "100"], { cwd });
  assert.ok(stdout.includes("\u001b") && stdout.includes("\u0007"));
  assert.equal(stdout.length, 101);
});
