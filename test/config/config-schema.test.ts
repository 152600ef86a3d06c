/** docs/config.schema.json, by what an editor makes of it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import languages from "vscode-json-languageservice";
import { configFileOptions } from "#src/config/config-file-options.js";
import { charnn } from "../helpers/executable.js";

const FILE = fileURLToPath(new URL("../../docs/config.schema.json", import.meta.url));
const WRITE = fileURLToPath(new URL("../../scripts/write-config-schema.js", import.meta.url));

// The language service of VS Code and others.
const { getLanguageService, TextDocument } = languages;
const service = getLanguageService({
  schemaRequestService: async () => readFileSync(FILE, "utf8"),
});
service.configure({ schemas: [{ uri: "charnn:config", fileMatch: ["*.json"] }] });

/** A file in an editor; `|` is where the cursor is. */
function opened(text: string) {
  const offset = text.indexOf("|");
  const document = TextDocument.create("file:///a.json", "json", 1, text.replace("|", ""));
  return {
    document,
    json: service.parseJSONDocument(document),
    position: document.positionAt(offset),
  };
}

async function completed(text: string): Promise<string[]> {
  const { document, json, position } = opened(text);
  const list = await service.doComplete(document, position, json);
  return list?.items.map(({ label }) => label) ?? [];
}

async function problems(options: object): Promise<string[]> {
  const { document, json } = opened(JSON.stringify(options));
  return (await service.doValidation(document, json)).map(({ message }) => String(message));
}

test("The schema of the files of --config is that of the options", async (t) => {
  const { code, stderr } = await charnn(t, ["--check"], { program: WRITE });
  assert.equal(code, 0, stderr);
});

test("An editor completes names and values of the files of --config", async () => {
  const names = await completed('{"|"}');
  for (const name of ["hidden-size", "max-time", "no-samples", "backend"]) {
    assert.ok(names.includes(name), `${name} is not in ${names.join(" ")}`);
  }
  for (const name of ["files", "fold", "config", "mpi", "samples"]) {
    assert.ok(!names.includes(name), name);
  }
  assert.deepEqual(await completed('{"cell": |}'), ['"gru"', '"lstm"', '"rnn"']);
});

test("An editor marks what charnn refuses in a file of --config, and nothing else", async () => {
  const settings = configFileOptions({
    files: ["a"],
    hiddenSize: 64,
    maxTime: 90,
    samples: false,
    replan: [{ step: 3, steps: 40 }],
    learningRate: 4e-3,
  });
  assert.deepEqual(settings, {
    "hidden-size": 64,
    "max-time": 90,
    replan: "3:40",
    "learning-rate": 4e-3,
    "no-samples": true,
  });
  for (const options of [
    settings,
    { "max-time": "10m" },
    { $schema: "config.schema.json" },
    { resume: true },
  ]) {
    assert.deepEqual(await problems(options), []);
  }
  for (const options of [
    { "hidden-sise": 64 },
    { "hidden-size": 0 },
    { "hidden-size": 1.5 },
    { dropout: 1 },
    { cell: "tcn" },
    { "max-time": "soon" },
    { resume: "yes" },
    { "learning-rate": 0 },
    { replan: "3" },
  ]) {
    assert.equal((await problems(options)).length, 1, JSON.stringify(options));
  }
});
