/** Every option and operand that names a text is read in one way. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { createProgram } from "#src/cli/program.js";
import { parse } from "#src/cli/run.js";
import { Interruption } from "#src/cli/terminal/signals.js";
import { processTerminal } from "#src/cli/terminal/terminal.js";
import type { CharnnError } from "#src/errors.js";
import { alone } from "#src/ranks/alone.js";
import { foxFolder, sentences } from "../helpers/executable.js";
import { failsWith } from "../helpers/failure.js";
import { slow } from "../helpers/slow.js";
import { isWindows } from "../helpers/system.js";

/** Commands that read FILE. The model of `fox` knows the characters of `fox.txt`. */
const READERS = [
  "train FILE --hidden-size 8 --steps 1 --quiet --overwrite --name a",
  "train FOX --validation-file FILE --hidden-size 8 --steps 1 --quiet --overwrite --name a",
  "sample fox -n 5 --seed-file FILE",
  "sample fox -n 5 --max-copy 30 --training-text FILE",
  "eval fox FILE --no-baselines",
  "score fox FILE --lines",
  "copies FILE FOX",
  "copies FOX FILE",
  "report fox --text FILE --output PAGE --overwrite",
] as const;
const CONFIG = "train FOX --config FILE";

const terminal = processTerminal();

/** Runs commands in this process, in a folder with `fox.txt` and the run `fox`. */
async function place(t: TestContext) {
  const cwd = await foxFolder(t, { trained: true });
  const run = async (line: string, file: string, ...more: readonly string[]) => {
    const said: string[] = [];
    const say = (...pieces: readonly unknown[]) => void said.push(pieces.map(String).join(""));
    const silent = { ...terminal, say, warn: say, out: async () => {} };
    const interruption = new Interruption(terminal);
    const words = line.split(" ").map((word) => {
      const places = { FILE: file, FOX: path.join(cwd, "fox.txt"), PAGE: path.join(cwd, "r.html") };
      return word in places ? places[word as keyof typeof places] : word;
    });
    const out = line.startsWith("copies") ? [] : ["--out", path.join(cwd, "checkpoints")];
    const program = createProgram({
      terminal: silent,
      interruption,
      exitWith() {},
      ranks: alone(),
    });
    try {
      await parse([...words, ...out, ...more], program);
    } finally {
      interruption.release();
    }
    return said;
  };
  const write = async (name: string, content: string | Uint8Array) => {
    const file = path.join(cwd, name);
    await writeFile(file, content);
    return file;
  };
  return { cwd, run, write };
}

slow("a file that is no plain text is refused by every command, with what helps", async (t) => {
  const { cwd, run, write } = await place(t);
  const refused = async (line: string, file: string, ...says: string[]) => {
    await assert.rejects(run(line, file), failsWith("BAD_TEXT", ...says), `${line} ${file}`);
  };
  const gzip = await write("a.gz", gzipSync(sentences(60)));
  const pdf = await write("a.pdf", `%PDF-1.7\n${sentences(60)}`);
  const binary = await write("a.bin", `${sentences(60)}\0`);
  const utf16 = await write("a.utf16", Buffer.from(`\ufeff${sentences(60)}`, "utf16le"));
  const folder = path.join(cwd, "empty");
  await mkdir(folder);
  for (const line of [...READERS, CONFIG]) {
    await refused(line, gzip, "packed with gzip", "gunzip -c");
    await refused(line, pdf, "a PDF document", "pdftotext");
    await refused(line, binary, "NUL bytes");
    await refused(line, folder, "empty", "folder");
    if (process.platform !== "win32") await refused(line, "/dev/zero", '"/dev/zero" is a device');
    const cure =
      line !== CONFIG
        ? "`encoding: utf-16le`"
        : isWindows
          ? "UTF-8."
          : "iconv -f ENCODING -t utf-8";
    await refused(line, utf16, "NUL bytes", cure);
  }
  await refused("sample fox --seed-file FILE", folder, "is a folder, not a file");
  await refused(CONFIG, folder, "is a folder, not a file");
});

slow("--encoding and --invalid count for every text", async (t) => {
  const { run, write } = await place(t);
  const latin = Buffer.from(sentences(60).replace("fox number 3", "fox\xe9 number 3"), "latin1");
  const file = await write("latin.txt", latin);
  const utf16 = await write("a.utf16", Buffer.from(`\ufeff${sentences(60)}`, "utf16le"));
  const places =
    /^"[^"]+latin\.txt" has 1 place where the bytes are wrong, the first at line 3, column 20: /;
  const readers = [
    ...READERS,
    "eval fox FILE --no-baselines --unknown skip",
    "score fox FILE --lines --unknown skip",
    "report fox --text FILE --output PAGE --overwrite --unknown skip",
  ];
  for (const line of readers) {
    // What replaces a byte is nothing that the model knows.
    const canReplace = !/^(sample.*seed|eval|score|report)/.test(line) || line.endsWith("skip");
    for (const invalid of [[], ["--invalid", "error"]]) {
      await assert.rejects(run(line, file, ...invalid), (error: CharnnError) => {
        failsWith("BAD_TEXT", "byte 0xE9", "line 3, column 20", "`invalid: skip`")(error);
        assert.equal(error.hint?.includes("`invalid: replace`"), canReplace, line);
        return true;
      });
    }
    const skipped = await run(line, file, "--invalid", "skip");
    assert.ok(
      skipped.some((test) => places.test(test) && test.includes("left out")),
      `${line}: ${skipped}`,
    );
    const replaced = run(line, file, "--invalid", "replace");
    if (!canReplace) {
      await assert.rejects(replaced, failsWith("UNKNOWN_CHARACTER", "U+FFFD"), line);
    } else {
      assert.ok(
        (await replaced).some((test) => places.test(test) && test.includes("U+FFFD")),
        line,
      );
    }
    // All files of a command have one encoding.
    if (!line.includes("FOX")) await run(line, utf16, "--encoding", "utf-16le");
  }
});

test("a text to go on from is read as the model has read its own", async (t) => {
  const { run, write } = await place(t);
  const marked = await write("seed.txt", "\ufeffThe quick");
  await run("sample fox -n 5 --seed-file FILE", marked);
  const lines = await write("lines.txt", sentences(60).replaceAll("\n", "\r\n"));
  await run("train FILE --line-ends lf --hidden-size 8 --steps 1 --quiet --name lf", lines);
  const windows = await write("seed2.txt", "The quick\r\n");
  await run("sample lf -n 5 --seed-file FILE", windows);
});
