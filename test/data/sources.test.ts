import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, truncateSync, writeFileSync } from "node:fs";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { byPath } from "#src/data/folders.js";
import { readCharacters } from "#src/data/reading.js";
import { checkNames, findSources, type Source } from "#src/data/sources.js";
import { failsWith } from "../helpers/failure.js";
import { temporaryFolder } from "../helpers/folder.js";
import { isWindows, noLinks, noPosix, noShell } from "../helpers/system.js";

async function contentOf(source: Source): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.read()) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks).toString();
}

async function* chunks(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
}

test("a tar archive can be read as its message advises", { skip: noShell }, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(path.join(folder, "one.txt"), "in the archive\n".repeat(99));
  const inFolder = { cwd: folder };
  execFileSync("tar", ["-cf", "FILE", "one.txt"], inFolder);
  const refusal = await findSources([path.join(folder, "FILE")], { encoding: "utf-8" }).catch(
    (error) => error,
  );
  assert.match(refusal.message, /is a tar archive/);
  const [, command] = /first: (.*), and name the folder\.$/.exec(refusal.hint) ?? [];
  execFileSync("sh", ["-c", command], inFolder);
  const { sources } = await findSources([path.join(folder, "FOLDER")], { encoding: "utf-8" });
  assert.deepEqual(
    sources.map(({ size }) => size),
    [1_485],
  );
});

test("files are read in the order they are named, the standard input among them", async (t) => {
  const folder = await temporaryFolder(t);
  const [b, a] = [path.join(folder, "b.txt"), path.join(folder, "a.txt")];
  await writeFile(b, "bee");
  await writeFile(a, "ay");
  const { sources, warnings } = await findSources(
    [b, "-", a],
    { encoding: "utf-8" },
    {
      stdin: chunks("in", "put"),
    },
  );
  assert.deepEqual(await Promise.all(sources.map(contentOf)), ["bee", "input", "ay"]);
  assert.deepEqual(
    sources.map(({ name, size }) => [name, size]),
    [
      [`"${b}"`, 3],
      ["the standard input", 0],
      [`"${a}"`, 2],
    ],
  );
  assert.deepEqual(warnings, []);
});

test("a file longer than one chunk is read whole", async (t) => {
  const file = path.join(await temporaryFolder(t), "long.txt");
  const text = Array.from({ length: 100_000 }, (_, line) => `line ${line}\n`).join("");
  await writeFile(file, text);
  const { sources } = await findSources([file], { encoding: "utf-8" });
  assert.equal(await contentOf(sources[0]), text);
});

test("a folder stands for its text files, sorted by path, without hidden ones and node_modules", {
  skip: noLinks,
}, async (t) => {
  const folder = await temporaryFolder(t);
  for (const name of ["b/z", "b/.git", "node_modules/x", "a", "a-c"]) {
    await mkdir(path.join(folder, name), { recursive: true });
  }
  const files = [
    "b/z/1.txt",
    "b/2.md",
    "a-c/3",
    "B.txt",
    "a/x",
    "b/.git/HEAD",
    ".hidden",
    "node_modules/x/index.js",
  ];
  for (const name of files) await writeFile(path.join(folder, name), name);
  await symlink(path.join(folder, "a/x"), path.join(folder, "link-to-file"));
  await symlink(folder, path.join(folder, "b/link-to-folder"));
  await symlink(path.join(folder, "nowhere"), path.join(folder, "broken-link"));
  const { sources, warnings } = await findSources([folder], { encoding: "utf-8" });
  assert.deepEqual(
    sources.map(({ name }) => path.relative(folder, name.slice(1, -1)).split(path.sep).join("/")),
    ["B.txt", "a-c/3", "a/x", "b/2.md", "b/z/1.txt", "link-to-file"],
  );
  assert.deepEqual(warnings, []);
});

test("texts of a folder come in one order, no matter which separator paths have", () => {
  const paths = ["a-c/3", "a/x", "aZ", "B.txt", "b/2.md"];
  const backslashed = paths.map((file) => file.replaceAll("/", "\\"));
  for (const [separator, files] of [
    ["/", paths],
    ["\\", backslashed],
  ] as const) {
    const sorted = files.toSorted((a, b) => byPath(a, b, separator));
    assert.deepEqual(
      sorted.map((file) => file.replaceAll("\\", "/")),
      ["B.txt", "a-c/3", "a/x", "aZ", "b/2.md"],
    );
  }
});

test("binary files in a folder are left out and counted", async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(path.join(folder, "text"), "text");
  await writeFile(path.join(folder, "image"), Buffer.from([0x89, 0x50, 0, 1]));
  await writeFile(path.join(folder, "late"), `${"x".repeat(8_191)}\0`);
  await writeFile(path.join(folder, "later"), `${"x".repeat(8_192)}\0`);
  const { sources, warnings } = await findSources([folder], { encoding: "utf-8" });
  assert.deepEqual(
    sources.map(({ name }) => path.basename(name.slice(1, -1))),
    ["later", "text"],
  );
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /^2 files in ".*" left out: binary/);
});

test("a folder without text is refused", async (t) => {
  const folder = await temporaryFolder(t);
  await assert.rejects(
    findSources([folder], { encoding: "utf-8" }),
    failsWith("BAD_TEXT", "has no text files", folder),
  );
  await writeFile(path.join(folder, "image"), Buffer.alloc(10));
  await assert.rejects(
    findSources([folder], { encoding: "utf-8" }),
    failsWith("BAD_TEXT", "only binary ones (1)."),
  );
  await writeFile(path.join(folder, "metrics.jsonl"), '{"event":"start"}\n');
  await assert.rejects(
    findSources([folder], { encoding: "utf-8" }),
    failsWith("BAD_TEXT", "only binary ones (1) and what charnn wrote: "),
  );
});

test("a binary file named directly is refused", async (t) => {
  const file = path.join(await temporaryFolder(t), "image.png");
  await writeFile(file, Buffer.from([0x89, 0x50, 0, 1]));
  await assert.rejects(
    findSources([file], { encoding: "utf-8" }),
    failsWith("BAD_TEXT", file, "NUL bytes"),
  );
});

test("UTF-16 is recognized in place of UTF-8, and is no binary file when asked for", async (t) => {
  const file = path.join(await temporaryFolder(t), "notepad.txt");
  await writeFile(file, Buffer.from("\ufeffhello", "utf16le"));
  await assert.rejects(
    findSources([file], { encoding: "utf-8" }),
    failsWith("BAD_TEXT", "`encoding: utf-16le`"),
  );
  assert.equal((await findSources([file], { encoding: "utf-16le" })).sources.length, 1);
});

test("a missing file is named, and with how to get the Shakespeare text", async (t) => {
  const folder = await temporaryFolder(t);
  const missing = path.join(folder, "novel.txt");
  await assert.rejects(
    findSources([missing], { encoding: "utf-8" }),
    failsWith("NOT_FOUND", `"${missing}"`),
  );
  await writeFile(path.join(folder, "file"), "text");
  await assert.rejects(
    findSources([path.join(folder, "file", "below")], { encoding: "utf-8" }),
    failsWith("NOT_FOUND", "no file or folder"),
  );
  await assert.rejects(
    findSources([path.join(folder, "data/shakespeare.txt")], { encoding: "utf-8" }),
    failsWith("NOT_FOUND", "`npm run data` makes it"),
  );
});

test("a file without permission is refused", {
  skip: noPosix || (process.getuid?.() === 0 && "root may read all"),
}, async (t) => {
  const file = path.join(await temporaryFolder(t), "secret.txt");
  await writeFile(file, "secret");
  await chmod(file, 0);
  await assert.rejects(
    findSources([file], { encoding: "utf-8" }),
    failsWith("BAD_TEXT", file, "permission is denied"),
  );
});

test("a file that goes away between finding and reading is an error that names it", async (t) => {
  const file = path.join(await temporaryFolder(t), "gone.txt");
  await writeFile(file, "text");
  const { sources } = await findSources([file], { encoding: "utf-8" });
  const { rm } = await import("node:fs/promises");
  await rm(file);
  await assert.rejects(contentOf(sources[0]), failsWith("NOT_FOUND", file));
});

test("a standard input that fails is an error that names it", async () => {
  async function* failing() {
    yield Buffer.from("text");
    throw Object.assign(new Error("EISDIR: illegal operation"), { code: "EISDIR" });
  }
  const { sources } = await findSources(["-"], { encoding: "utf-8" }, { stdin: failing() });
  await assert.rejects(
    contentOf(sources[0]),
    failsWith("BAD_TEXT", "the standard input", "it is a folder"),
  );
});

test("no name at all and the standard input twice are refused", async () => {
  await assert.rejects(checkNames([]), failsWith("INVALID_SETTING", "No text is given"));
  await assert.rejects(checkNames(["-", "a", "-"]), failsWith("INVALID_SETTING", "twice"));
  await assert.rejects(checkNames(["/dev/stdin", "-"]), failsWith("INVALID_SETTING", "twice"));
  await checkNames(["-", "a", "a"]);
});

test("a file that changes while it is read is refused", async (t) => {
  const folder = await temporaryFolder(t);
  const [large, small] = [path.join(folder, "large.txt"), path.join(folder, "small.txt")];
  const content = "the quick brown fox\n".repeat(20_000);
  for (const change of [
    () => appendFileSync(large, "more"),
    () => truncateSync(large, 150_000),
    () => writeFileSync(large, content.toUpperCase()),
  ]) {
    await writeFile(large, content);
    const { sources } = await findSources([large], { encoding: "utf-8" });
    await assert.rejects(
      async () => {
        let chunks = 0;
        for await (const _ of sources[0].read()) if (chunks++ === 0) change();
      },
      failsWith("BAD_TEXT", large, "changed while it was read"),
    );
  }
  // What has changed before its reading begins is read as it is then.
  await writeFile(small, "small");
  const { sources } = await findSources([small], { encoding: "utf-8" });
  await writeFile(small, content);
  assert.equal(await contentOf(sources[0]), content);
});

test("files that the system makes up are read", {
  skip: process.platform !== "linux" && "there are none",
}, async () => {
  const { sources } = await findSources(["/proc/self/status"], { encoding: "utf-8" });
  assert.match(await contentOf(sources[0]), /^Name:/);
});

test("documents and archives are known by how they begin, with what to do", async (t) => {
  const folder = await temporaryFolder(t);
  const zipped = (name: string) =>
    Buffer.concat([Buffer.from("PK\x03\x04"), Buffer.alloc(26), Buffer.from(name)]);
  const files: Record<string, [content: Uint8Array, advice: string]> = {
    "a.pdf": [Buffer.from("%PDF-1.7\n1 0 obj"), "pdftotext"],
    "a.rtf": [Buffer.from("{\\rtf1\\ansi text}"), "pandoc -f rtf"],
    "a.docx": [zipped("[Content_Types].xml"), "pandoc"],
    "a.epub": [zipped("mimetypeapplication/epub+zip"), "pandoc -f epub"],
    "a.odt": [zipped("mimetypeapplication/vnd.oasis.opendocument.text"), "pandoc -f odt"],
    "a.zip": [zipped("book.txt"), "unzip"],
    "a.gz": [gzipSync("some text"), "gunzip"],
    "a.doc": [Buffer.from("d0cf11e0a1b11ae1", "hex"), "soffice"],
    "a.txt": [Buffer.from("fffe00006100000062000000", "hex"), "UTF-32"],
  };
  for (const [name, [content, advice]] of Object.entries(files)) {
    const file = path.join(folder, name);
    await writeFile(file, content);
    for (const encoding of ["utf-8", "windows-1252"]) {
      await assert.rejects(findSources([file], { encoding }), failsWith("BAD_TEXT", file, advice));
    }
    async function* piped() {
      yield content;
    }
    const { sources } = await findSources(["-"], { encoding: "utf-8" }, { stdin: piped() });
    await assert.rejects(
      readCharacters(sources, { encoding: "windows-1252", rewriter: undefined }, () => {}),
      failsWith("BAD_TEXT", "the standard input", advice),
    );
  }
  await writeFile(path.join(folder, "text"), "Some text on {\\rtf and %PDF-");
  const { sources, warnings } = await findSources([folder], { encoding: "utf-8" });
  assert.deepEqual(
    sources.map(({ path: file }) => path.basename(file)),
    ["text"],
  );
  assert.match(warnings[0], /^9 files in ".*" left out: .*PDF \(1\)/);
});

test("UTF-32 without a mark is named, with what converts it", async (t) => {
  const folder = await temporaryFolder(t);
  const codePoints = Array.from("Straße № 7\n".repeat(5), (test) => test.codePointAt(0) as number);
  for (const kind of ["LE", "BE"] as const) {
    const bytes = Buffer.alloc(4 * codePoints.length);
    for (const [k, test] of codePoints.entries()) bytes[`writeUInt32${kind}`](test, 4 * k);
    const file = path.join(folder, kind);
    await writeFile(file, bytes);
    const refusal = failsWith(
      "BAD_TEXT",
      "UTF-32",
      isWindows ? "Save it as UTF-8" : `iconv -f UTF-32${kind} -t UTF-8`,
    );
    await assert.rejects(findSources([file], { encoding: "utf-8" }), refusal);
  }
  const utf16 = path.join(folder, "utf16");
  await writeFile(utf16, Buffer.from("Strasse 7\n".repeat(5), "utf16le"));
  await assert.rejects(
    findSources([utf16], { encoding: "utf-8" }),
    failsWith("BAD_TEXT", "`encoding: utf-16le`"),
  );
});
