/**
 * Writes docs/cli.md: every help text, as the command line prints it.
 *
 *     node scripts/write-cli-docs.js            # writes it
 *     node scripts/write-cli-docs.js --check    # fails where it is out of date
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const file = join(root, "docs", "cli.md");

const { values: options } = parseArgs({ options: { check: { type: "boolean" } } });

const overview = helpOf("--help");
const commands = namesIn(overview).flatMap((name) => [
  [name],
  // Commands of a command.
  ...namesIn(/^Commands:.*/ms.exec(helpOf(name, "--help"))?.[0] ?? "")
    .filter((own) => own !== "charnn")
    .map((own) => [name, own]),
]);
const sections = commands.flatMap((words) => {
  const name = words.join(" ");
  const [short, full] = [helpOf(...words, "--help"), helpOf(...words, "--help-all")];
  const all =
    short === full ? [] : [`\`charnn ${name} --help-all\` shows all of them:`, block(full)];
  return [`## charnn ${name}`, block(short), ...all];
});
const intro =
  "What `--help` prints, of charnn and of each command. `npm run docs` writes this page.";
const page = ["# The command line", intro, block(overview), ...sections].join("\n\n");

if (!options.check) writeFileSync(file, `${page}\n`);
else if (readFileSync(file, "utf8") !== `${page}\n`) {
  console.error("docs/cli.md is out of date: run npm run docs.");
  process.exitCode = 1;
}

function namesIn(help) {
  return [...help.matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name);
}

function helpOf(...args) {
  const environment = { ...process.env, NO_COLOR: "1" };
  const command = [join(root, "bin", "charnn.js"), ...args];
  return execFileSync(process.execPath, command, { encoding: "utf8", env: environment });
}

function block(text) {
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\``;
}
