/** Nothing that a text, a name or a file holds gets to a terminal in a form that it would obey or hide. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { charnn, quoted, SMALL } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { onTerminal, withPseudoTerminal } from "../helpers/pseudo-terminal.js";
import { slow } from "../helpers/slow.js";
import { isWindows, noShell, slashed } from "../helpers/system.js";

/** One of each kind: controls, ends of lines, directions, no width, tags. */
const UNSEEN = [
  ..."\u001b\u0007\u0008\u007f\u0085\u009b\u061c\u00ad\u034f\u180e\u200b\u200c\u200d\u200e\u200f",
  ..."\u2028\u2029\u202a\u202e\u2060\u2066\u2069\u3164\ufe0f\ufeff\ufff9\u{e0041}",
];
const RAW = new RegExp(`[${UNSEEN.join("")}]`, "u");
/** What a name may hold: no controls. */
const ODD = UNSEEN.filter((character) => character > "\u00a0").join("");
const RUN = `run${ODD}`;
// Windows has no names with controls.
const FILE = `file${isWindows ? "" : "\u001b[5m"}${ODD}.txt`;

/** A folder with a text that holds them all and a run of it; both are named by them too. */
async function oddPlace(t: TestContext): Promise<string> {
  const cwd = await temporaryFolder(t);
  const line = `The quick ${UNSEEN.join(" brown ")} fox\u001b[5m jumps over the lazy dog.\n`;
  await writeFile(path.join(cwd, FILE), line.repeat(40));
  const { code, stderr } = await charnn(t, ["train", FILE, "--name", RUN, ...SMALL], { cwd });
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, RAW);
  return cwd;
}

slow(
  "no command sends a terminal a character that it obeys or hides",
  withPseudoTerminal,
  async (t) => {
    const cwd = await oddPlace(t);
    await mkdir(path.join(cwd, ODD));
    await writeFile(path.join(cwd, "bad.json"), JSON.stringify({ [`hidden${ODD}`]: [1] }));
    await writeFile(path.join(cwd, "worse.json"), `{${ODD}\u001b[5m`);
    const [run, file] = [RUN, FILE].map(quoted);
    const small = `${SMALL.join(" ")} --eval-every 2`;
    const lines: [line: string, code: number, shows?: RegExp][] = [
      [`charnn sample ${run} -n 300 -t 2`, 0, /\\u|\\x/],
      [`charnn sample ${run} -n 300 -t 2 --count 2 --seed ${quoted("\u202ethe")}`, 0, /\\u202ethe/],
      [`charnn sample ${run} -n 300 -t 2 --json`, 0, /\\u/],
      [`charnn train ${file} --name ${run}2 ${small}`, 0, /\\u202e/],
      [`charnn train ${file} --name ${run}3 ${small} --json`, 0, /\\u202e/],
      [`charnn train ${file} --name ${run} ${small}`, 1, /There is a run run\\u061c/],
      [`charnn train ${file} --out ${quoted(ODD)} ${small} --quiet`, 0, /\\u202e/],
      ["charnn train nosuch.txt --config bad.json", 2, /\\u202e/],
      ["charnn train nosuch.txt --config worse.json", 2],
      [`charnn train ${quoted(`no${FILE}`)}`, 1, /\\x1b/],
      [`charnn ${quoted(`train${ODD}`)}`, 2, /\\u202e/],
      [`charnn train ${file} ${quoted(`--x${ODD}`)}`, 2, /\\u202e/],
      [`charnn train ${file} --cell ${quoted(ODD)}`, 2, /\\u202e/],
      ["charnn info", 0, /\\u202e/],
      [`charnn info ${run}`, 0, /\\u202e/],
      [`charnn info ${run} --json`, 0, /\\u202e/],
      [`charnn info ${quoted(`no${RUN}`)}`, 1, /\\u202e/],
      [`charnn score ${run} ${file}`, 0, /\\u202e/],
      [`charnn score ${run} ${file} --json`, 0, /\\u202e/],
      [`charnn score ${run} ${file} --also ${run}2`, 0, /\\u202e/],
      [`charnn eval ${run} ${file} --no-baselines`, 0],
      [`charnn eval ${run} ${file} --each --also ${run}2 --no-baselines`, 0, /\\u202e/],
      [`charnn copies ${file} ${file}`, 0, /\\u202e/],
      [`charnn plot ${run}`, 0, /\\u202e/],
      [`charnn report ${run}`, 0, /\\u202e/],
      [`charnn export ${run} --to onnx`, 0, /\\u202e/],
      [`charnn export ${run} --to html`, 0, /\\u202e/],
      [`charnn report ${run} --output ${quoted(`${ODD}/${ODD}/r.html`)}`, 1, /\\u202e/],
    ];
    for (const [line, code, shows] of lines) {
      const { stdout, ...outcome } = await onTerminal(t, line, { cwd });
      assert.equal(outcome.code, code, `${line}\n${stdout}`);
      assert.notEqual(stdout, "");
      assert.doesNotMatch(stdout, RAW, line);
      if (shows) assert.match(stdout, shows, line);
    }
  },
);

slow("colours on a terminal are charnn's own alone", withPseudoTerminal, async (t) => {
  const cwd = await oddPlace(t);
  const env = { NO_COLOR: "", FORCE_COLOR: "3" };
  for (const command of ["score", "plot"]) {
    const line = `charnn ${command} ${quoted(RUN)} ${command === "score" ? quoted(FILE) : ""}`;
    const { code, stdout } = await onTerminal(t, line, { cwd, env });
    assert.equal(code, 0, stdout);
    assert.ok(stdout.includes("\u001b["), "coloured");
    assert.ok(!stdout.includes("\u001b[5m"), "by charnn");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.doesNotMatch(stdout.replaceAll(/\u001b\[[\d;]*m/g, ""), RAW);
  }
});

slow("a file or a program gets results exactly", async (t) => {
  const cwd = await oddPlace(t);
  const sample = await charnn(t, ["sample", RUN, "-n", "300", "-t", "2"], { cwd });
  assert.match(sample.stdout, RAW);
  const trained = await charnn(t, ["train", FILE, "--name", `${RUN}2`, "--quiet", ...SMALL], {
    cwd,
  });
  assert.match(
    slashed(trained.stdout),
    new RegExp(`^checkpoints/${RUN}2/(best|last)\\.safetensors\n$`),
  );
});

test("a message that a file's content is in stays one line of a readable length", async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(path.join(cwd, "fox.txt"), "The quick brown fox.\n".repeat(100));
  const contents = {
    "key.json": JSON.stringify({ [`a\n${"b".repeat(100_000)}`]: 1 }),
    "value.json": JSON.stringify({ cell: `a\n${"b".repeat(100_000)}` }),
    "list.json": JSON.stringify({ [`a\n${"b".repeat(100_000)}`]: [] }),
    "broken.json": `{"a": ${"b\n".repeat(50_000)}`,
  };
  for (const [name, content] of Object.entries(contents)) {
    await writeFile(path.join(cwd, name), content);
    const { code, stdout, stderr } = await charnn(t, ["train", "fox.txt", "--config", name], {
      cwd,
    });
    assert.deepEqual([code, stdout], [2, ""], stderr);
    const [message, ...rest] = stderr.trimEnd().split("\n");
    assert.match(message, /^Error: /);
    assert.ok(message.length < 800, `${message.length} characters`);
    assert.ok(rest.length <= 1, stderr.slice(0, 2000));
  }
});

test("a command that a warning prints is printed whole", { skip: noShell }, async (t) => {
  const cwd = await temporaryFolder(t);
  const unseen = Array.from({ length: 20 }, (_, k) => String.fromCodePoint(0xe0100 + k));
  const text = `The quick \ufeff ${unseen.slice(1).join(" brown ")} fox.\n`.repeat(40);
  await writeFile(path.join(cwd, "text.txt"), text, "utf16le");
  const args = ["train", "text.txt", "--encoding", "utf-16le", ...SMALL];
  const { stderr } = await charnn(t, args, { cwd });
  assert.match(
    stderr,
    /iconv -f utf-16le .*\\x\{E0113\}.*\]\/\/g' > NEWFILE, and leave --encoding out$/m,
  );
  assert.match(stderr, /\[(\\x\{\w+\}){20}\]/);
});
