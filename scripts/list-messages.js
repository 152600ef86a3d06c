/**
 * Prints every message that charnn can show, by the file it is in, so that all of them can be read in one go:
 * strings of the source code that begin with a capital letter or a blank, have several words and are not
 * documentation. What is inserted appears as {...}.
 *
 *     npm run -s messages > messages.txt
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** Code in strings: the page of a report, of which `docs/report.png` shows the words, and kernels. */
const NOT_MESSAGES = /^((report\/page|export\/html)\/(style|script)|backends\/wasm\/thread)/;
const MESSAGE = /^[^<]*\p{L}+[^<]* \p{L}+[^<]* \p{L}+/u;

const sources = fileURLToPath(new URL("../src", import.meta.url));
const names = readdirSync(sources, { recursive: true, encoding: "utf8" }).sort();
for (const name of names.filter((file) => file.endsWith(".ts") && !NOT_MESSAGES.test(file))) {
  const text = readFileSync(join(sources, name), "utf8");
  const messages = messagesIn(ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true));
  if (messages.length > 0) console.log([`${name}:`, ...messages, ""].join("\n  ").trimEnd(), "\n");
}

/** The texts of three words and more in a file, in order. */
function messagesIn(file) {
  const found = [];
  const visit = (node) => {
    const text = textOf(node);
    if (text !== undefined && MESSAGE.test(text)) found.push(text.replaceAll("\n", "\\n"));
    else ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function textOf(node) {
  if (ts.isImportDeclaration(node)) return undefined;
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map(({ literal }) => `{...}${literal.text}`).join("");
}
