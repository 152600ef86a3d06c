/** Holds the sources to the table "Who may import whom" of docs/architecture.md. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
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
const table = importTable();

describe("The layers", () => {
  it("are those of the folders in src", () => {
    const topLevel = [...new Set(files.map(({ name }) => name.split("/")[0]))];
    const listed = [...table.keys()].map((entry) => entry.replace("/", ""));
    assert.deepEqual(listed.toSorted(), topLevel.toSorted());
    assert.ok(files.length > 50);
    assert.ok(files.flatMap(({ imports }) => imports).length > 100);
  });

  for (const [layer, allowed] of table) {
    const own = files.filter(({ name }) => isIn(layer, name));

    it(`let ${layer} import only ${allowed.join(", ") || "packages"}`, () => {
      assert.ok(own.length > 0);
      for (const { name, imports } of own) {
        for (const imported of imports) {
          const isAllowed = [layer, ...allowed].some((entry) => isIn(entry, imported));
          assert.ok(isAllowed, `${name} imports ${imported}`);
        }
      }
    });
  }

  it("let the command line load no other packages than these before a command's action", () => {
    const loaded = loadedAtOnce("cli/main.ts");
    assert.ok(loaded.has("cli/run.ts") && loaded.has("config/train.ts"));
    const packages = files
      .filter(({ name }) => loaded.has(name))
      .flatMap(({ name, atOnce }) => atOnce.map((imported) => ({ name, imported })))
      .filter(({ imported }) => !/^(?:\.|node:|chalk$|cli-progress$|commander$)/.test(imported));
    assert.deepEqual(packages, []);
    assert.ok(![...loaded].some((name) => /^(?:backends|index|model|training)\b/.test(name)));
  });

  it("use nothing of TensorFlow.js but the addon", () => {
    const imports = /(?:^(?:import|export) [^"]*|\b(?:import|require)\()"@tensorflow\//m;
    for (const { name, text } of files) assert.doesNotMatch(text, imports, name);
    assert.match('import { tidy } from "@tensorflow/tfjs-core";', imports);
  });

  it("let only the command line print, read the process's surroundings, and end it", () => {
    // CHARNN_ISA, which tests and measurements set, is the one exception; and TensorFlow's addon and
    // installation, which take their settings from there.
    const forbidden =
      /\bconsole\.|\bprocess\.(stdout|stderr|stdin|exit|exitCode|argv|env(?!\.CHARNN_ISA\b)|on)\b/;
    const foreign = [
      "backends/tensorflow/load.ts",
      "backends/tensorflow/folder.ts",
      "setup/install-tensorflow.ts",
      "setup/tools.ts",
    ];
    for (const { name, text } of files) {
      if (isIn("cli/", name)) continue;
      const read = foreign.includes(name) ? text.replaceAll("process.env", "") : text;
      assert.doesNotMatch(read, forbidden, name);
    }
    assert.ok(files.some(({ text }) => forbidden.test(text)));
  });
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
    const file = files.find((it) => it.name === name);
    assert.ok(file, name);
    for (const imported of file.atOnce.filter((it) => it.startsWith("."))) {
      waiting.push(path.posix.join(path.posix.dirname(name), imported).replace(/\.js$/, ".ts"));
    }
  }
  return loaded;
}

function inSources(file: string): string {
  return path.relative(SOURCES, file).replaceAll(path.sep, "/");
}

/** For each row, in order, what it may import beside its own. */
function importTable(): Map<string, string[]> {
  const text = readFileSync(path.join(ROOT, "docs/architecture.md"), "utf8");
  const section = text.split(/^## /m).find((part) => part.startsWith("Who may import whom"));
  const rows = [...(section ?? "").matchAll(/^\| (`.*) \| (.*) \|$/gm)];
  assert.ok(rows.length > 5, "the table is not found");
  const allowedBy = new Map<string, string[]>();
  for (const [, names, allowed] of rows) {
    const above = /\bthe above\b/.test(allowed) ? [...allowedBy.keys()] : [];
    const entries = [...new Set([...above, ...namesIn(allowed)])];
    for (const name of namesIn(names)) allowedBy.set(name, entries);
  }
  return allowedBy;
}

/** What stands in backquotes: `data/` for a folder, `errors` or `errors.ts` for a file. */
function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) =>
    name.endsWith("/") || name.endsWith(".ts") ? name : `${name}.ts`,
  );
}
