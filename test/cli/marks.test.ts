import assert from "node:assert/strict";
import { test } from "node:test";
import { ASCII_MARKS, showsUnicode, UNICODE_MARKS } from "#src/cli/terminal/marks.js";
import { charnn, foxFolder } from "../helpers/executable.js";
import { isWindows } from "../helpers/system.js";

test("A terminal shows Unicode by its locale, and on Windows by its name", () => {
  const cases: [shows: boolean, platform: NodeJS.Platform, env: NodeJS.ProcessEnv][] = [
    [true, "linux", {}],
    [true, "linux", { LANG: "de_DE.UTF-8" }],
    [true, "linux", { LANG: "C.utf8", TERM: "xterm" }],
    [false, "linux", { LANG: "C" }],
    [false, "linux", { LANG: "de_DE.ISO-8859-1" }],
    [false, "linux", { LANG: "de_DE.UTF-8", LC_ALL: "POSIX" }],
    [true, "linux", { LANG: "C", LC_CTYPE: "en_US.UTF-8" }],
    [true, "linux", { LANG: "C.UTF-8", LC_ALL: "", LC_CTYPE: "" }],
    [false, "linux", { LANG: "C.UTF-8", TERM: "linux" }],
    [true, "darwin", { TERM: "xterm-256color" }],
    [false, "darwin", { LC_ALL: "C" }],
    [false, "win32", {}],
    [false, "win32", { LANG: "en_US.UTF-8" }],
    [true, "win32", { WT_SESSION: "0e1d" }],
    [true, "win32", { TERM_PROGRAM: "vscode" }],
    [true, "win32", { TERM: "xterm-256color" }],
    [false, "win32", { TERM: "xterm" }],
    [true, "win32", { TERMINAL_EMULATOR: "JetBrains-JediTerm" }],
    [true, "win32", { ConEmuTask: "{cmd::Cmder}" }],
  ];
  for (const [shows, platform, env] of cases) {
    assert.equal(showsThere(platform, env), shows, `${platform} ${JSON.stringify(env)}`);
  }
});

/** What {@link showsUnicode} says of another system, and with other variables. */
function showsThere(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): boolean {
  const before = { platform: process.platform, env: process.env };
  try {
    Object.defineProperty(process, "platform", { value: platform });
    process.env = env;
    return showsUnicode();
  } finally {
    Object.defineProperty(process, "platform", { value: before.platform });
    process.env = before.env;
  }
}

test("Marks in ASCII are as many as those of Unicode, and told apart", () => {
  for (const marks of [ASCII_MARKS, UNICODE_MARKS]) {
    assert.equal(new Set(marks.points).size, 6);
    assert.equal(new Set(marks.levels).size, 8);
    const all = [...marks.bar, ...marks.levels, ...Object.values(marks.axes), ...marks.points];
    for (const mark of all) assert.equal([...mark].length, 1);
    assert.equal(/^[\x20-\x7e]+$/.test(all.join("")), marks === ASCII_MARKS);
  }
});

test("A plot has only ASCII where the locale has nothing else", {
  skip: isWindows && "there it is the terminal that counts",
}, async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  for (const [LC_ALL, isPlain] of [
    ["C", true],
    ["C.UTF-8", false],
  ] as const) {
    const { code, stdout } = await charnn(t, ["plot", "fox"], {
      cwd,
      env: { LC_ALL, TERM: "xterm" },
    });
    assert.equal(code, 0);
    assert.equal(/^[\x20-\x7e\n]+$/.test(stdout), isPlain, stdout);
  }
});
