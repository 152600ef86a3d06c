/** Checks docs/architecture.md against the imports, and the imports against what may be loaded and used where. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SOURCES = path.join(ROOT, "src");

/** What a file imports, as paths in `src/`. */
interface SourceFile {
  readonly name: string;
  readonly text: string;
  readonly imports: readonly string[];
  /** The modules that are loaded with it, as it names them: not types, and not what a function imports. */
  readonly atOnce: readonly string[];
}

const STATIC_IMPORT = /^(?:import|export) (?!type\b)(?:[^;"]* from )?"([^"]+)";$/gm;

const files = sourceFiles();
const entries = topLevel();
const document = readFileSync(path.join(ROOT, "docs/architecture.md"), "utf8");

test("The source code has every folder on the lowest floor above all that it imports, as docs/architecture.md draws it", () => {
  assert.ok(entries.size > 20);
  const names = [...entries.keys()].sort();
  const highest = Math.max(...names.map((name) => floorOf(name)));
  const floors = Array.from({ length: highest + 1 }, (_, floor) =>
    names.filter((name) => floorOf(name) === floor),
  );
  const drawn = /```\n(.*?)\n```/s.exec(document)?.[1].split("\n") ?? [];
  assert.deepEqual(
    drawn.map((line) => line.trim().split(/ +/).sort()),
    floors.toReversed(),
  );
});

test("The source code imports between folders what the table of docs/architecture.md says", () => {
  const rows = [...document.matchAll(/^\| `(\w[\w-]*\/|index\.ts)` \| .* \| (.*) \|$/gm)];
  assert.deepEqual(
    rows.map(([, name, imported]) => [
      name,
      [...imported.matchAll(/`(.+?)`/g)].map(([, it]) => it),
    ]),
    [...entries]
      .filter(([name]) => isFolder(name) || name === "index.ts")
      .sort(([a], [b]) => floorOf(b) - floorOf(a) || (a < b ? -1 : 1))
      .map(([name, imports]) => [name, [...imports].filter(isFolder).sort()]),
  );
});

test("The source code has no folder that imports index.ts", () => {
  for (const [name, imports] of entries) assert.ok(!imports.has("index.ts"), name);
});
test("The source code loads only these packages before a command's action", () => {
  const loaded = loadedAtOnce("cli/main.ts");
  assert.ok(loaded.has("cli/run.ts") && loaded.has("config/train.ts"));
  const packages = files
    .filter(({ name }) => loaded.has(name))
    .flatMap(({ name, atOnce }) => atOnce.map((imported) => ({ name, imported })))
    .filter(
      ({ imported }) =>
        !/^(?:\.|node:|chalk$|cli-progress$|commander$|is-unicode-supported$)/.test(imported),
    );
  assert.deepEqual(packages, []);
  assert.ok(![...loaded].some((name) => /^(?:backends|index|model|training)\b/.test(name)));
});

test("The source code uses nothing of TensorFlow.js but its addon", () => {
  const imports = /(?:^(?:import|export) [^"]*|\b(?:import|require)\()"@tensorflow\//m;
  for (const { name, text } of files) assert.doesNotMatch(text, imports, name);
  assert.match('import { tidy } from "@tensorflow/tfjs-core";', imports);
});

test("The source code prints, reads the process's surroundings and ends it in src/cli/ alone", () => {
  // CHARNN_ISA, which tests and measurements set, is the one exception; and TensorFlow's addon and
  // installation, with the folder for that, which take their settings from there.
  const forbidden =
    /\bconsole\.|\bprocess\.(stdout|stderr|stdin|exit|exitCode|argv|env(?!\.CHARNN_ISA\b)|on)\b/;
  const foreign = ["backends/tensorflow/load.ts", "data-folder.ts", "setup/tools.ts"];
  for (const { name, text } of files) {
    if (isIn("cli/", name)) continue;
    const read = foreign.includes(name) ? text.replaceAll("process.env", "") : text;
    assert.doesNotMatch(read, forbidden, name);
  }
  assert.ok(files.some(({ text }) => forbidden.test(text)));
});

function isIn(entry: string, name: string): boolean {
  return entry.endsWith("/") ? name.startsWith(entry) : name === entry;
}

function sourceFiles(): SourceFile[] {
  const names = readdirSync(SOURCES, { recursive: true, encoding: "utf8" });
  const sources = names.filter((name) => name.endsWith(".ts"));
  return sources.map((name) => {
    const file = path.join(SOURCES, name);
    const text = readFileSync(file, "utf8");
    const { importedFiles } = ts.preProcessFile(text);
    const imports = importedFiles
      .map(({ fileName }) => fileName)
      .filter((imported) => imported.startsWith("."))
      .map((imported) => inSources(path.resolve(path.dirname(file), imported)))
      .map((imported) => imported.replace(/\.js$/, ".ts"));
    const atOnce = [...text.matchAll(STATIC_IMPORT)].map(([, imported]) => imported);
    return { name: inSources(file), text, imports, atOnce };
  });
}

/** A file, and all that is loaded before its first line runs. `run.ts` is what `main.ts` always goes on to. */
function loadedAtOnce(start: string): Set<string> {
  const loaded = new Set<string>();
  const waiting = [start, "cli/run.ts"];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (loaded.has(name)) continue;
    loaded.add(name);
    const file = files.find((test) => test.name === name);
    assert.ok(file, name);
    for (const imported of file.atOnce.filter((test) => test.startsWith("."))) {
      waiting.push(path.posix.join(path.posix.dirname(name), imported).replace(/\.js$/, ".ts"));
    }
  }
  return loaded;
}

function inSources(file: string): string {
  return path.relative(SOURCES, file).replaceAll(path.sep, "/");
}

/** The folders and files that lie in `src/`, each with those that it imports. */
function topLevel(): Map<string, Set<string>> {
  const entryOf = (name: string) => name.replace(/\/.*/, "/");
  const imports = new Map<string, Set<string>>();
  for (const file of files) {
    const entry = entryOf(file.name);
    const others = imports.get(entry) ?? new Set();
    for (const imported of file.imports.map(entryOf)) if (imported !== entry) others.add(imported);
    imports.set(entry, others);
  }
  return imports;
}

/** From 0. @throws where folders import each other in a circle */
function floorOf(entry: string, above: readonly string[] = []): number {
  assert.ok(!above.includes(entry), `a circle of imports: ${[...above, entry].join(", ")}`);
  const below = [...(entries.get(entry) ?? [])].map((test) => floorOf(test, [...above, entry]));
  return below.reduce((highest, floor) => Math.max(highest, floor + 1), 0);
}

function isFolder(name: string): boolean {
  return name.endsWith("/");
}
