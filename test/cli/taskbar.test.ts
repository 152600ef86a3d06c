import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { hasTaskbar, taskbar } from "#src/cli/terminal/taskbar.js";

const NAMES = ["WT_SESSION", "ConEmuANSI", "TERM_PROGRAM", "TERM_FEATURES", "TERM"];
const before = Object.fromEntries(NAMES.map((name) => [name, process.env[name]]));

function terminalIs(variables: Readonly<Record<string, string>>): void {
  for (const name of NAMES) delete process.env[name];
  Object.assign(process.env, variables);
}

afterEach(() => {
  for (const name of NAMES) {
    const value = before[name];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

test("Progress outside the text is for terminals that know it, and for no others", () => {
  const known: Record<string, string>[] = [
    { WT_SESSION: "1" },
    { ConEmuANSI: "ON" },
    { TERM_PROGRAM: "ghostty", TERM: "xterm-ghostty" },
    { TERM_PROGRAM: "iTerm.app", TERM_FEATURES: "T3CwLrMSc7UUw9Ts3BFGsSyHNoSxFP" },
  ];
  for (const variables of known) {
    terminalIs(variables);
    assert.equal(hasTaskbar({ isTTY: true }), true, JSON.stringify(variables));
    assert.equal(hasTaskbar({ isTTY: false }), false);
  }
  const unknown: Record<string, string>[] = [
    {},
    { TERM: "xterm-kitty" },
    { TERM_PROGRAM: "iTerm.app", TERM_FEATURES: "T3" },
    { WT_SESSION: "1", TERM: "screen-256color" },
  ];
  for (const variables of unknown) {
    terminalIs(variables);
    assert.equal(hasTaskbar({ isTTY: true }), false, JSON.stringify(variables));
  }
});

test("Progress outside the text is written when it changes, and taken away", () => {
  terminalIs({ WT_SESSION: "1" });
  const written: string[] = [];
  const stream = { isTTY: true, write: (text: string) => written.push(text) };
  const bar = taskbar(stream as unknown as NodeJS.WriteStream);
  bar.clear();
  bar.show(undefined);
  bar.show(0.101);
  bar.show(0.109);
  bar.clear();
  bar.clear();
  assert.deepEqual(
    written,
    ["3", "1;10", "0;"].map((state) => `\u001b]9;4;${state}\u0007`),
  );
});
