/**
 * Types what the README and the pages of docs/ tell a reader to type: each line, in order, in one fresh folder for each
 * page. Every line of a block of `sh` is either run here or listed below with the reason why it is not.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { EXECUTABLE, plainEnvironment, quoted } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { foreignTensors, SMALL_MODEL, safetensorsOf } from "../helpers/foreign-model.js";
import { slow } from "../helpers/slow.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAGES = [
  "README.md",
  "docs/guide.md",
  "docs/sampling.md",
  "docs/backends.md",
  "docs/scripting.md",
  "docs/library.md",
  "docs/exporting.md",
  "docs/troubleshooting.md",
];

/** What can't be run in a test, and why. */
const NOT_RUN = new Map([
  ["npm run native", "it compiles what other tests use"],
  ["apt-get install g++", "it installs"],
  ["charnn doctor --install-compiler --yes", "it installs"],
  ["charnn doctor --install-tensorflow", "it asks and installs"],
  ["charnn doctor --install-tensorflow --yes", "it installs"],
  ["charnn doctor --install-tensorflow --gpu", "it asks and installs"],
  [
    "charnn train book.txt --name with-tensorflow --backend tensorflow",
    "TensorFlow may not be installed",
  ],
  ["pip install tensorboard && tensorboard --logdir checkpoints", "it installs"],
  ["charnn report --watch", "it serves until Ctrl-C"],
  [
    "charnn sample night --include rose --include beauty -n 200",
    "a model of two steps has learned no words",
  ],
]);

/** Added to each training that has no number of steps: a page is about what to type, not about the result. */
const FEW_STEPS = "--steps 2";

for (const page of PAGES) {
  slow(
    `Each command of ${page} works, in the order in which they stand there`,
    {
      skip: process.platform === "win32" && "needs sh",
    },
    async (t) => {
      const run = await runner(t);
      for (const { language, text } of blocksOf(page)) {
        if (language === "js") run.program(text);
        if (language === "js server") await run.server(text);
        for (const line of language === "sh" ? commandsOf(text) : []) {
          if (!NOT_RUN.has(withoutComment(line))) run.line(line);
        }
      }
    },
  );
}

test("Every line to type is in a block of sh, and each that is not run is on a page", () => {
  const lines = PAGES.flatMap((page) =>
    blocksOf(page).flatMap(({ language, text }) => {
      const isCode = ["text", "json", "js", "js server", "python"].includes(language);
      assert.ok(isCode || language === "sh", `${page}: a block of "${language}"`);
      return language === "sh" ? commandsOf(text).map(withoutComment) : [];
    }),
  );
  assert.ok(lines.length > 50, `${lines.length} lines`);
  for (const line of NOT_RUN.keys()) assert.ok(lines.includes(line), line);
  for (const page of PAGES) {
    const prose = readFileSync(path.join(ROOT, page), "utf8").replaceAll(/^```.*?^```$/gms, "");
    assert.doesNotMatch(prose, /^ {4}\S/m, `${page}: an indented block`);
  }
});

test("Every link of the README and of docs/ leads to a file that exists", () => {
  const pages = [...PAGES, "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];
  for (const page of [...pages, "docs/architecture.md", "docs/glossary.md", "docs/how-to-add.md"]) {
    const text = readFileSync(path.join(ROOT, page), "utf8");
    const links = text.matchAll(/\]\(([^)]+)\)|(?:src|srcset)="([^"]+)"/g);
    for (const [, inText, inTag] of links) {
      const link = inText ?? inTag ?? "";
      if (/^https?:/.test(link)) continue;
      const [file, anchor] = link.split("#");
      const target = file ? path.resolve(ROOT, path.dirname(page), file) : path.join(ROOT, page);
      assert.ok(existsSync(target), `${page}: ${link}`);
      if (anchor) assert.ok(anchorsOf(target).includes(anchor), `${page}: ${link}`);
    }
  }
});

/** Types lines into a shell and runs programs, in a folder with the files that the pages name. */
async function runner(t: TestContext): Promise<{
  line(line: string): void;
  program(text: string): void;
  server(text: string): Promise<void>;
}> {
  const cwd = await temporaryFolder(t);
  const bin = await temporaryFolder(t);
  await writeFile(
    path.join(bin, "charnn"),
    `#!/bin/sh\nexec ${quoted(process.execPath)} ${quoted(EXECUTABLE)} "$@"\n`,
    { mode: 0o755 },
  );
  await mkdir(path.join(cwd, "node_modules"));
  await symlink(ROOT, path.join(cwd, "node_modules", "charnn"), "dir");
  await writeTexts(cwd);
  const { PATH, ...env } = plainEnvironment();
  const run = (what: string, expected: number, command: string, args: string[]) => {
    const { status, stdout, stderr } = spawnSync(command, args, {
      cwd,
      env: { ...env, PATH: `${bin}${path.delimiter}${PATH}` },
      encoding: "utf8",
      timeout: 120_000,
      killSignal: "SIGKILL",
    });
    assert.equal(status, expected, `${what}\n${stdout}\n${stderr}`);
    assert.doesNotMatch(stderr, /^ {4}at .*:\d+\)?$/m, what);
  };
  return {
    line(line) {
      const [, code = "0"] = /#.*exit code (\d+)/.exec(line) ?? [];
      run(line, Number(code), "sh", ["-c", shortened(line)]);
    },
    program: (text) => run(text, 0, process.execPath, ["--input-type=module", "--eval", text]),
    server: (text) => loadServer(text, { cwd, env }),
  };
}

/** Starts a program that serves, and asks it for more texts at once than it writes, some of them given up. */
async function loadServer(
  text: string,
  { cwd, env }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<void> {
  const server = spawn(process.execPath, ["--input-type=module", "--eval", text], {
    cwd,
    env: { ...env, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [line] = await once(server.stdout.setEncoding("utf8"), "data");
    const url = new URL(line.trim());
    const ask = async (prompt: string, length: number) => {
      const address = new URL(`/?prompt=${encodeURIComponent(prompt)}&length=${length}`, url);
      const response = await fetch(address);
      return { status: response.status, text: await response.text() };
    };
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask("Once", 300)));
    const done = answers.filter(({ status }) => status === 200);
    assert.ok(done.length >= 64, `${done.length} texts`);
    for (const { text: written } of done) assert.equal(written.length, 301);
    for (const { status } of answers) assert.ok(status === 200 || status === 503, `${status}`);
    assert.ok(new Set(done.map((it) => it.text)).size > 1);
    const refused = await ask("\u8a9e", 10);
    assert.deepEqual([refused.status, /does not know/.test(refused.text)], [400, true]);
    for (let k = 0; k < 20; k++) {
      const stop = new AbortController();
      const response = await fetch(new URL("/?length=2000", url), { signal: stop.signal });
      await response.body?.getReader().read();
      stop.abort();
    }
    // Those that were given up take nobody's place, once the server has seen that they were.
    const areAllWritten = async () => {
      const after = await Promise.all(Array.from({ length: 64 }, () => ask("i love", 20)));
      return after.every(({ status }) => status === 200);
    };
    let tries = 1;
    while (!(await areAllWritten())) assert.ok(tries++ < 10, "Some still take a place.");
  } finally {
    server.kill("SIGKILL");
  }
}

/** A line as it is run: the built program, installed already, and trainings that take a moment. */
function shortened(line: string): string {
  const typed = line.replace(/^npm ci && /, "").replaceAll("node bin/charnn.js", "charnn");
  return typed.includes("--steps") ? typed : typed.replaceAll("charnn train", `$& ${FEW_STEPS}`);
}

function blocksOf(page: string): { language: string; text: string }[] {
  const text = readFileSync(path.join(ROOT, page), "utf8");
  const blocks = [...text.matchAll(/^```([\w ]*)\n(.*?)^```$/gms)];
  return blocks.map(([, language, text]) => ({ language, text }));
}

function commandsOf(block: string): string[] {
  return block.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
}

function withoutComment(line: string): string {
  return line.replace(/\s+# .*$/, "");
}

/** The anchors that GitHub makes of a page's headings. */
function anchorsOf(file: string): string[] {
  const headings = readFileSync(file, "utf8").matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

/** The texts that the pages name; a small one in place of each. */
async function writeTexts(cwd: string): Promise<void> {
  const book = sonnet(220);
  const vocabulary = [...new Set(book)].sort();
  const weights = foreignTensors({ ...SMALL_MODEL, vocabularySize: vocabulary.length });
  const files: Record<string, string | Uint8Array> = {
    "weights.safetensors": safetensorsOf(weights),
    "data/shakespeare.txt": book,
    "book.txt": book,
    "other.txt": book.slice(0, 1_500),
    "letter.txt": book.slice(500, 2_000),
    "poems.txt": sonnet(40),
    "novels/first.txt": sonnet(80),
    "novels/second.txt": sonnet(90),
    "texts/first.txt": book.slice(1_000, 2_000),
    "texts/second.txt": book.slice(2_000, 3_000),
    "english.txt": book,
    "french.txt": sonnet(180),
    "labelled/english/one.txt": book.slice(0, 500),
    "labelled/french/two.txt": book.slice(600, 1_100),
    "notes.md": `# Notes\n\n${sonnet(60)}`,
    "names.txt": `${Array.from({ length: 300 }, (_, k) => words(k, 1 + (k % 2))).join("\n")}\n`,
    "songs.txt": Array.from(
      { length: 40 },
      (_, k) => `${words(k, 6)},\n${words(k + 7, 5)}.\n`,
    ).join("\n"),
    "stories.txt": Array.from({ length: 40 }, (_, k) => `${words(k, 9)}.`).join("<|endoftext|>\n"),
    "chars.json": JSON.stringify(vocabulary),
    "settings.json": JSON.stringify({ "hidden-size": 64, "max-time": "10m" }),
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(cwd, name)), { recursive: true });
    await writeFile(path.join(cwd, name), text);
  }
}

/** Lines of a few words, with the characters of the seeds that the pages give. */
function sonnet(lines: number): string {
  return Array.from(
    { length: lines },
    (_, k) => `My Once i love, O ${words(k, 4)}, or ${words(3 * k + 1, 2)}!.\n`,
  ).join("");
}

function words(seed: number, count: number): string {
  const syllables = ["ra", "mel", "to", "si", "ung", "kev", "po", "dwa", "lich", "bry"];
  return Array.from({ length: count }, (_, k) =>
    Array.from(
      { length: 2 + ((seed + k) % 2) },
      (_, j) => syllables[(seed * (k + 2) + 7 * j + ((seed * seed + k) >> 3)) % syllables.length],
    ).join(""),
  ).join(" ");
}
