/** Checks that what GitHub's workflows name exists; they can't run here. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDER = path.join(ROOT, ".github", "workflows");
const workflows = new Map(
  readdirSync(FOLDER).map((name) => [name, readFileSync(path.join(FOLDER, name), "utf8")]),
);
const hasActionlint = spawnSync("actionlint", ["-version"]).status === 0;

test("The workflows are what GitHub takes", {
  skip: !hasActionlint && "actionlint is not installed",
}, () => {
  const files = [...workflows.keys()].map((name) => path.join(FOLDER, name));
  files.push(path.join(ROOT, "examples", "ci", "workflow.yml"));
  const { status, stdout, stderr } = spawnSync("actionlint", ["-color=false", ...files], {
    cwd: ROOT,
    encoding: "utf8",
  });
  assert.equal(status, 0, `${stdout}${stderr}`);
});

test("The workflows run the two commands of the README, and scripts that there are", () => {
  const readme = readFileSync(path.join(ROOT, "README.md"), "utf8");
  const commands = [...readme.matchAll(/(npm ci) && ([^`\n]+)/g)];
  assert.equal(commands.length, 2);
  for (const [, install, command] of commands) {
    for (const line of [install, command]) {
      assert.ok(workflows.get("ci.yml")?.includes(`      - run: ${line}\n`), line);
    }
  }
  const { scripts } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));
  const named = [...workflows.values()].flatMap((text) => [...text.matchAll(/npm run ([\w:-]+)/g)]);
  assert.ok(named.length > 5);
  for (const [, script] of named) assert.ok(Object.hasOwn(scripts, script), script);
});

test("The workflows run on every Node.js from the oldest that works", () => {
  const { engines } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));
  const [, oldest] = /^>=(\d+)\./.exec(engines.node) ?? [];
  assert.match(workflows.get("ci.yml") ?? "", new RegExp(`node: \\[${oldest}, `));
});
