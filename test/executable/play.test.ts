/** How text that comes character by character stands in a terminal. */
import assert from "node:assert/strict";
import { foxFolder } from "../helpers/executable.js";
import { openScreen, withTmux } from "../helpers/screen.js";
import { slow } from "../helpers/slow.js";

slow(
  "Ctrl-C takes back a line that is half typed, and Ctrl-D then leaves play",
  withTmux,
  async (t) => {
    const cwd = await foxFolder(t, { trained: true });
    const screen = await openScreen(t, ["play", "fox", "-n", "5"], {
      cwd,
      columns: 80,
    });
    await screen.shows(/^> $|^>$/m);
    for (const key of "half") screen.press(key);
    await screen.shows(/^> half$/m);
    screen.press("C-c");
    await screen.shows(/:quit or Ctrl-D leaves\./);
    for (const key of ["T", "h", "e", "Enter"]) screen.press(key);
    const lines = await screen.shows(/^> The\n(?:.*\n)+> ?$/m);
    assert.ok(!/half|alf/.test(lines.join("\n")), lines.join("\n"));
    for (const key of ["x", "C-c", "C-d"]) screen.press(key);
    await screen.shows(/code 0/);
  },
);

slow(
  "an error begins a line on a terminal, after the text that was written until then",
  withTmux,
  async (t) => {
    const cwd = await foxFolder(t, { trained: true });
    const args = ["sample", "fox", "--allow", "a", "--max-repeat", "2"];
    const screen = await openScreen(t, args, { cwd, columns: 80 });
    const lines = await screen.shows(/leaves? no character/);
    assert.ok(lines.includes("aa"), lines.join("\n"));
    assert.ok(
      lines.some((line) => line.startsWith("Error: --allow")),
      lines.join("\n"),
    );
  },
);
