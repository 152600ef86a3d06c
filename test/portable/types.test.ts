/** The types that come with an exported module. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import ts from "typescript";
import { TYPES } from "#src/export/js/encode-js.js";
import { temporaryFolder } from "../helpers/folder.js";
import { slow } from "../helpers/slow.js";

const USE = `import { generate, next, score } from "./model.mjs";
const stop = new AbortController();
for await (const character of generate("the", { length: 9, stop: ["."], signal: stop.signal })) {
  const text: string = character;
}
const [{ character, probability }] = await next("the", 3);
const sum: number = probability + character.length;
const [{ bits = 0 }] = await score("the", { unknown: "map" });
const more: number = bits + sum;
`;

slow(
  "A program in TypeScript can use an exported module, and is told what it can't have",
  async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(path.join(folder, "model.d.mts"), TYPES);
    assert.deepEqual(await complaints(folder, USE), []);
    const wrong = `import { generate } from "./model.mjs";\ngenerate("the", { temperatur: 1 });\n`;
    assert.match(String(await complaints(folder, wrong)), /temperatur/);
  },
);

async function complaints(folder: string, program: string): Promise<string[]> {
  const file = path.join(folder, "use.mts");
  await writeFile(file, program);
  const compiled = ts.createProgram([file], {
    strict: true,
    noEmit: true,
    types: [],
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.asynciterable.d.ts"],
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
  });
  return ts
    .getPreEmitDiagnostics(compiled)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}
