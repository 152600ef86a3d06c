/** Texts and names that nobody expects, through all commands that meet them. */
import type { ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { EXECUTABLE, quoted } from "../helpers/executable.js";
import type { Draw } from "../helpers/numbers.js";
import { withPseudoTerminal } from "../helpers/pseudo-terminal.js";
import {
  BACKEND,
  type Campaign,
  caseDraw,
  crashOf,
  type Ending,
  numbersTo,
  onAllCores,
  partOf,
  runWords,
  type Tally,
} from "./campaign.js";
import { hostileFileName, hostileRunName, hostileText, TEXT_KINDS } from "./hostile-texts.js";
import { nodeIn } from "./lasting-run.js";

/** What a terminal obeys or does not show, but for ends of lines, as in `src/cli/terminal/printable.ts`. */
const UNSEEN =
  /(?![\t\n\r\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]|\r(?!\n)/u;
/** Characters of a text that is scored: with 50,000 different ones each takes long. */
const MAX_SCORED_LENGTH = 40_000;
const MAX_LINE_LENGTH = 5_000;
/** So long that it is interrupted before its end. */
const TRAIN =
  `--hidden-size 8 --batch-size 2 --seq-length 8 --steps 10000000 --eval-every 20 --threads 1 ` +
  `--backend ${BACKEND}`;
const CHARNN = `charnn() { exec ${quoted(process.execPath)} ${quoted(EXECUTABLE)} "$@"; }`;

/** A folder with a text, and how it is trained on. */
interface Place {
  readonly folder: string;
  readonly draw: Draw;
  readonly isTerminal: boolean;
  /** The text's file as a word of bash. */
  readonly file: string;
}

export async function hostile(campaign: Campaign, tally: Tally): Promise<void> {
  const { long, seed } = campaign;
  const numbers = numbersTo((long ? 200 : 1) * TEXT_KINDS.length);
  await onAllCores(partOf(campaign, numbers), async (number) => {
    const draw = caseDraw(seed, number);
    const text = hostileText(draw, TEXT_KINDS[number % TEXT_KINDS.length]);
    const fileName = hostileFileName(draw);
    const runName = hostileRunName(draw);
    const isTerminal = !withPseudoTerminal.skip && draw.uniform() < 0.5;
    const options = text.options.join(" ");
    const repeat =
      `seed ${seed}, number ${number}: ${text.what}, ${options || "no options"}, in ` +
      `${JSON.stringify(fileName.toString("latin1"))}, run ${JSON.stringify(runName)}` +
      `${isTerminal ? ", on a terminal" : ""}`;
    await tally.attempt(repeat, async () => {
      const outer = await mkdtemp(path.join(campaign.scratch, "outer-"));
      const folder = path.join(outer, "inner");
      await mkdir(folder);
      await writeFile(Buffer.concat([Buffer.from(`${folder}/`), fileName]), text.bytes);
      const place: Place = { folder, draw, isTerminal, file: wordOf(fileName) };
      const named = runName === undefined ? "" : `--name=${quoted(runName)}`;
      const wrong =
        (await through(place, `${named} ${options}`, textOf(text.bytes))) ??
        (await misplaced(outer, folder));
      await rm(outer, { recursive: true });
      return wrong;
    });
  });
}

/** Trains, goes on by the line that is printed for it, and shows what there is. */
async function through(place: Place, options: string, text: string): Promise<string | undefined> {
  const { draw, file, folder } = place;
  const isPiped = draw.uniform() < 0.2;
  const files = isPiped ? `- < ./${file}` : draw.uniform() < 0.2 ? "." : `./${file}`;
  const training = await interrupted(
    place,
    `charnn train ${TRAIN} ${options} ${files}`,
    /\d +\d\.\d{3}|training \d\.\d/,
  );
  const said = training.stdout + training.stderr;
  const wrong = wrongWith(place, training);
  if (wrong !== undefined) return `train: ${wrong}`;
  if (training.code !== 130) return refused(training, folder);
  const [, line] = /^To continue: (.*?)\r?$/m.exec(said) ?? [];
  if (line === undefined) return `train: there is no line to continue by: ${said}`;
  // A path that is not UTF-8 can't be printed.
  const asksForText = /^It needs the same text again, on standard input\.\r?$/m.test(said);
  const pasted = asksForText ? `${line} < ./${file}` : line;
  const onPipe = { ...place, isTerminal: false };
  const resumed = await interrupted(onPipe, pasted, /^ {2}run +(steps [\d,]+ to|from step) /m);
  if (resumed.code !== 130) return `${pasted}: it ends with ${resumed.code}: ${resumed.stderr}`;
  const [name] = await readdir(path.join(folder, "checkpoints"));
  const run = quoted(name);
  const seed = quoted(seedOf(draw, text));
  const pattern = draw.uniform() < 0.5 ? "-t 3" : "--json";
  const scoring = ["eval --no-baselines", "score"].map(
    (command) => `charnn ${command} ${encodingIn(options)} -- ${run} ./${file}`,
  );
  const lines = [
    `charnn sample -n 200 ${pattern} --seed=${seed} -- ${run}`,
    ...(text.length < MAX_SCORED_LENGTH ? scoring : []),
    "charnn info",
    `charnn info -- ${run}`,
    `charnn plot -- ${run}`,
    `charnn report -- ${run}`,
    `charnn export --to onnx -- ${run}`,
  ];
  for (const one of lines) {
    const ending = await bash(place, one);
    const unlike = wrongWith(place, ending);
    // Unknown characters, or a text in another encoding, may be refused.
    const mayFail = /charnn (sample|eval|score)/.test(one);
    if (unlike !== undefined) return `${one}: ${unlike}`;
    if (ending.code !== 0 && !mayFail)
      return `${one}: it ends with ${ending.code}: ${ending.stdout}${ending.stderr}`;
  }
  return undefined;
}

/** What is wrong with a training that was not interrupted: it may refuse the text, or its name. */
async function refused(
  { code, stdout, stderr }: Ending,
  folder: string,
): Promise<string | undefined> {
  const said = stdout + stderr;
  const errors = said.match(/^Error: .+$/gm) ?? [];
  if ((code !== 1 && code !== 2) || errors.length !== 1)
    return `train: it ends with ${code}: ${said}`;
  const names = await readdir(folder, { encoding: "buffer" });
  return names.length === 1 ? undefined : `it leaves ${names.join()} when it is refused: ${said}`;
}

/** What no command may say. */
function wrongWith({ isTerminal }: Place, ending: Ending): string | undefined {
  const { code, signal, stdout, stderr } = ending;
  const said = stdout + stderr;
  if (signal || code === null) return `it was ended by ${signal}: ${said}`;
  const crash = crashOf({ code: 0, signal, stdout, stderr: said });
  if (crash !== undefined) return crash;
  const unseen = UNSEEN.exec(isTerminal ? said : stderr);
  if (unseen) {
    const at = said.slice(Math.max(0, unseen.index - 80), unseen.index + 20);
    return `it sends ${JSON.stringify(unseen[0])}: ${JSON.stringify(at)}`;
  }
  const long = stderr.split("\n").find((line) => line.length > MAX_LINE_LENGTH);
  return long && `a line of ${long.length} characters: ${long.slice(0, 200)}`;
}

/** What is somewhere that it does not belong. */
async function misplaced(outer: string, folder: string): Promise<string | undefined> {
  const [beside, inside] = await Promise.all([
    readdir(outer),
    readdir(folder, { encoding: "latin1" }),
  ]);
  if (beside.length !== 1) return `there is ${beside} outside`;
  const others = inside.filter(
    (name) => name !== "checkpoints" && !/(?:-report\.html|\.onnx)$/.test(name),
  );
  if (others.length !== 1) return `there is ${JSON.stringify(inside)}`;
  const runs = inside.includes("checkpoints")
    ? await readdir(path.join(folder, "checkpoints"))
    : [];
  return runs.length < 2 ? undefined : `there are the runs ${JSON.stringify(runs)}`;
}

/** A few characters of a text, to go on from. */
function seedOf(draw: Draw, text: string): string {
  const characters = Array.from(text.slice(0, 10_000)).filter((it) => it !== "\0");
  const at = draw.below(Math.max(1, characters.length - 6));
  return characters.slice(at, at + 1 + draw.below(6)).join("");
}

/** The characters of bytes in UTF-8, or in UTF-16 by its mark. */
function textOf(bytes: Buffer): string {
  return bytes[0] === 0xff && bytes[1] === 0xfe ? bytes.toString("utf16le") : bytes.toString();
}

/** The options of a training that hold for what is read later too. */
function encodingIn(options: string): string {
  return /--(?:encoding|invalid) \S+/.exec(options)?.[0] ?? "";
}

/** Interrupts a command when it has written something; it may end before. */
function interrupted(place: Place, line: string, pattern: RegExp): Promise<Ending> {
  return bash(place, line, (child) => {
    let said = "";
    let isInterrupted = false;
    const look = async (bytes: Buffer) => {
      said += bytes;
      if (isInterrupted || !pattern.test(said)) return;
      isInterrupted = true;
      const pid = await nodeIn(child);
      process.kill(pid, "SIGINT");
    };
    // On a terminal both are one.
    child.stdout?.on("data", look);
    child.stderr?.on("data", look);
  });
}

/** Runs a line of bash, which may be on a terminal. */
function bash(
  { folder, isTerminal }: Place,
  line: string,
  onStart: (child: ChildProcess) => void = () => {},
): Promise<Ending> {
  const script = `${CHARNN}\n${line}`;
  const env = { NO_COLOR: "1", TERM: "dumb", SHELL: "/bin/bash" };
  const words = isTerminal
    ? ["script", "--quiet", "--return", "--command", script, "/dev/null"]
    : ["bash", "-c", script];
  return runWords(folder, words, { env, onStart });
}

/** Bytes as a word of bash. */
function wordOf(bytes: Buffer): string {
  const digits = Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`);
  return `$'${digits.join("")}'`;
}
