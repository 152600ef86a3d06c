/** Checks how messages of the library name settings, and how the command line shows them. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { withOptions } from "#src/cli/options/with-options.js";

const SOURCES = fileURLToPath(new URL("../src", import.meta.url));
/** Help and options of the command line, arguments of other programs, and code in strings. */
const NO_MESSAGES =
  /^(cli|config|setup|report\/page\/(style|script)|export\/js\/|export\/html\/(style|script)|ranks\/installed)/;
/** A command to type, up to the end of a message, and options of npm, of Node.js and of launchers. */
const COMMAND =
  /\b(charnn (train|sample|doctor)|npm run|pandoc|soffice) .*$|--include=optional|--disable-wasm-trap-handler|mpirun --bind-to none|srun --(?:mpi|cpus-per-task)=/gs;

test("No message of the library names an option of the command line", () => {
  const found = stringsOfLibrary().filter(({ text }) => /--[a-z{]/.test(text.replace(COMMAND, "")));
  assert.deepEqual(found, []);
});

test("What a message of the library has in backquotes is a setting, or a command", async () => {
  const settings = await namesOfSettings();
  const named = stringsOfLibrary().flatMap(({ file, text }) =>
    Array.from(text.matchAll(/`([a-z]\w*)(?:: [^`]+)?`/g), ([, name]) => ({ file, name })),
  );
  assert.ok(named.length > 50, `${named.length}`);
  assert.deepEqual(
    named.filter(({ name }) => !settings.has(name)),
    [],
  );
});

test("The command line shows its options where a message names settings, with their values", () => {
  assert.equal(
    withOptions("`trainingText` or `minCount: 3`, `initFrom: 'a b.txt'`; `npm run data` makes it."),
    "--training-text or --min-count 3, --init-from 'a b.txt'; `npm run data` makes it.",
  );
});

/** The names in all tables of options. */
async function namesOfSettings(): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (const file of readdirSync(path.join(SOURCES, "config"))) {
    const module: object = await import(`#src/config/${file.replace(/\.ts$/, ".js")}`);
    for (const table of Object.values(module).filter(isTable)) {
      for (const name of Object.keys(table)) names.add(name);
    }
  }
  return names;
}

function isTable(value: unknown): value is object {
  const entries = typeof value === "object" && value !== null ? Object.values(value) : [];
  return entries.length > 0 && entries.every((entry) => entry?.kind !== undefined);
}

/** All strings of the source code outside of `cli/`; what is put into one appears as `{}`. */
function stringsOfLibrary(): { file: string; text: string }[] {
  const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
    .map((file) => file.split(path.sep).join("/"))
    .filter((file) => file.endsWith(".ts") && !NO_MESSAGES.test(file));
  return files.flatMap((file) => {
    const text = readFileSync(path.join(SOURCES, file), "utf8");
    const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    return stringsIn(tree).map((string) => ({ file, text: string }));
  });
}

function stringsIn(node: ts.Node): string[] {
  const own = ts.isStringLiteralLike(node)
    ? [node.text]
    : ts.isTemplateExpression(node)
      ? [[node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join("{}")]
      : [];
  const children: string[] = [];
  ts.forEachChild(node, (child) => {
    children.push(...stringsIn(child));
  });
  return [...own, ...children];
}
