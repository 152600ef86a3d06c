/**
 * Makes docs/session-light.svg and docs/session-dark.svg, the picture in README.md: types its two commands into a
 * terminal of 80 columns, and draws what this shows: the training after a few evaluations, its end, and the sample.
 *
 *     npm run picture:session
 *
 * The terminal is `script` of util-linux; xterm.js knows what it shows.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import xterm from "@xterm/headless";
import { terminalSvg } from "./terminal-svg.js";

const COLUMNS = 80;
/** Long enough that nothing scrolls away. */
const ROWS = 1_000;
const TRAIN = "node bin/charnn.js train data/shakespeare.txt";
const SAMPLE = 'node bin/charnn.js sample --seed "i love" -n 200';
/** The training is shown when it has filled this many lines, and then waits. */
const LINES_ON_THE_WAY = 24;
const PAUSE_IN_MS = 120;

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "charnn-session-"));
try {
  // What README.md names, without the runs of this clone.
  await symlink(join(root, "bin"), join(folder, "bin"));
  await mkdir(join(folder, "data"));
  await cp(join(root, "data", "shakespeare.txt"), join(folder, "data", "shakespeare.txt"));

  const { onTheWay, end: trained } = await shown(TRAIN);
  const done = trained.findIndex((line) => textOf(line).startsWith("Done"));
  if (!onTheWay || done < 0) throw new Error("The training did not show what was looked for.");
  const { end: sampled } = await shown(SAMPLE);
  const session = [
    ...[typed(TRAIN), ...onTheWay, [{ text: "...", dim: true }], ...trained.slice(done)],
    ...[[], typed(SAMPLE), ...sampled],
  ];
  for (const theme of ["light", "dark"]) {
    const file = join(root, "docs", `session-${theme}.svg`);
    await writeFile(file, terminalSvg(session, theme, COLUMNS));
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** What a command shows at its end, and on the way once it shows enough and pauses. */
async function shown(command) {
  const terminal = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
  const { NO_COLOR, CI, ...env } = process.env;
  const child = spawn(
    "script",
    ["--quiet", "--return", "--command", `stty cols ${COLUMNS} rows 50; ${command}`, "/dev/null"],
    { cwd: folder, env: { ...env, TERM: "xterm-256color", LC_ALL: "C.UTF-8" } },
  );
  child.stdin.end();
  let onTheWay;
  let pause;
  child.stdout.on("data", (bytes) => {
    clearTimeout(pause);
    terminal.write(bytes, () => {
      if (onTheWay) return;
      pause = setTimeout(() => {
        const lines = linesOf(terminal);
        if (lines.length >= LINES_ON_THE_WAY) onTheWay = lines;
      }, PAUSE_IN_MS);
    });
  });
  const [code] = await once(child, "close");
  clearTimeout(pause);
  if (code !== 0) throw new Error(`${command} ended with exit code ${code}.`);
  await new Promise((resolve) => terminal.write("", resolve));
  return { onTheWay, end: linesOf(terminal) };
}

/** The lines of a terminal, without empty ones at its end, in pieces of equal look. */
function linesOf(terminal) {
  const buffer = terminal.buffer.active;
  const lines = [];
  for (let row = 0; row < buffer.length; row++) {
    const pieces = [];
    for (let column = 0; column < COLUMNS; column++) {
      const cell = buffer.getLine(row).getCell(column);
      const look = {
        ...(cell.isFgDefault() ? {} : { color: cell.getFgColor() % 8 }),
        ...(cell.isBold() ? { bold: true } : {}),
        ...(cell.isDim() ? { dim: true } : {}),
      };
      const text = cell.getChars() || " ";
      const last = pieces.at(-1);
      if (last && sameLook(last, look)) last.text += text;
      else pieces.push({ text, ...look });
    }
    while (pieces.length > 0 && pieces.at(-1).text.trim() === "") pieces.pop();
    if (pieces.length > 0) pieces.at(-1).text = pieces.at(-1).text.trimEnd();
    lines.push(pieces);
  }
  while (lines.length > 0 && lines.at(-1).length === 0) lines.pop();
  return lines;
}

function sameLook(a, b) {
  return a.color === b.color && a.bold === b.bold && a.dim === b.dim;
}

function textOf(line) {
  return line.map(({ text }) => text).join("");
}

function typed(command) {
  return [
    { text: "$ ", color: 2 },
    { text: command, bold: true },
  ];
}
