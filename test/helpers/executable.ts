import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, symlinkSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "./folder.js";

/** The built program, at a path as npm installs it, so that advice names it `charnn`. */
export const EXECUTABLE = path.join(installedFolder(), "bin", "charnn.js");

/** Settings with which a training takes a moment. */
export const SMALL = ["--hidden-size", "8", "--ngram-rows", "200", "--steps", "5"];

/** A test, or anything else that releases at its end what was made for it. */
type Owner = Pick<TestContext, "after">;

export interface StartOptions {
  /** The folder it runs in: a new, empty one when left out. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** In place of the built program: a copy of it. */
  readonly program?: string;
  /** Milliseconds after which it is killed, in place of a minute. */
  readonly timeout?: number;
}

/** So that a test fails where the program hangs. */
const AT_MOST = { timeout: 60_000, killSignal: "SIGKILL" } as const;

/** How a run of the program ended. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment without what changes the output behind a test's back. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const { CI, NO_COLOR, FORCE_COLOR, NODE_OPTIONS, ...others } = process.env;
  const { CHARNN_DIR, CHARNN_BACKEND, CHARNN_THREADS, ...env } = others;
  // Nothing that charnn was told to install there.
  const XDG_DATA_HOME = path.join(tmpdir(), "charnn-has-no-data");
  // Terminals that show Unicode, on any system.
  return { ...env, XDG_DATA_HOME, LC_ALL: "C.UTF-8", WT_SESSION: "of a test" };
}

/** A folder with a text in it, `fox.txt`, and on demand a run `fox` trained on it. */
export async function foxFolder(t: Owner, { trained = false } = {}): Promise<string> {
  const cwd = await temporaryFolder(t);
  await writeFile(path.join(cwd, "fox.txt"), sentences(60));
  if (trained) {
    const { code, stderr } = await charnn(t, ["train", "fox.txt", "--name", "fox", ...SMALL], {
      cwd,
    });
    assert.equal(code, 0, stderr);
  }
  return cwd;
}

/** Starts the program as a shell does; it ends with the test at the latest. */
export async function startCharnn(
  t: Owner,
  args: readonly string[],
  { cwd, env, program = EXECUTABLE, timeout = AT_MOST.timeout }: StartOptions = {},
): Promise<ChildProcessWithoutNullStreams> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: cwd ?? (await temporaryFolder(t)),
    env: { ...plainEnvironment(), ...env },
    ...AT_MOST,
    timeout,
  });
  t.after(() => child.kill("SIGKILL"));
  return child;
}

/** What the program writes until it ends. */
export async function outcomeOf(child: ChildProcessWithoutNullStreams): Promise<Outcome> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (bytes) => stdout.push(bytes));
  child.stderr.on("data", (bytes) => stderr.push(bytes));
  const [code, signal] = await once(child, "close");
  return {
    code,
    signal,
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
  };
}

/** Runs the program to its end. */
export async function charnn(
  t: Owner,
  args: readonly string[],
  { stdin = "", ...options }: StartOptions & { readonly stdin?: string | Uint8Array } = {},
): Promise<Outcome> {
  const child = await startCharnn(t, args, options);
  // It may well end before it has read everything.
  child.stdin.on("error", () => {});
  child.stdin.end(stdin);
  return outcomeOf(child);
}

/** Runs a line of bash, in which `charnn` is the program. */
export async function shell(
  t: Owner,
  line: string,
  { cwd, env }: StartOptions = {},
): Promise<Outcome> {
  const script = `charnn() { ${quoted(process.execPath)} ${quoted(EXECUTABLE)} "$@"; }\n${line}`;
  const child = spawn("bash", ["-o", "pipefail", "-c", script], {
    cwd: cwd ?? (await temporaryFolder(t)),
    env: { ...plainEnvironment(), ...env },
    ...AT_MOST,
  });
  t.after(() => child.kill("SIGKILL"));
  return outcomeOf(child);
}

/** A word as a shell reads it back. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** Resolves when a stream has written text that matches; others may read it too. */
export function written(stream: NodeJS.ReadableStream, pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = "";
    stream.on("data", (bytes) => {
      text += bytes;
      if (pattern.test(text)) resolve();
    });
    stream.on("end", () => reject(new Error(`The stream ended without ${pattern}:\n${text}`)));
  });
}

/** All files below a folder with a hash of what is in them. */
export async function filesIn(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const file = path.join(entry.parentPath, entry.name);
    const isFile = entry.isFile();
    const hash = isFile
      ? createHash("sha256")
          .update(await readFile(file))
          .digest("hex")
      : "folder";
    files.set(path.relative(folder, file), hash);
  }
  return files;
}

/** The objects of JSON Lines. */
// biome-ignore lint/suspicious/noExplicitAny: what they hold is what tests look at
export function jsonLines(text: string): any[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** A text that a small model reads in a moment: 55 characters a line, 40 different ones. */
export function sentences(lines: number): string {
  return Array.from(
    { length: lines },
    (_, line) => `The quick brown fox number ${line + 1} jumps over the lazy dog.\n`,
  ).join("");
}

/**
 * A link to the clone among installed packages: outside of it, so that listing its files does not go round in
 * circles.
 */
function installedFolder(): string {
  const clone = fileURLToPath(new URL("../..", import.meta.url));
  const own = createHash("sha256").update(clone).digest("hex").slice(0, 12);
  const link = path.join(tmpdir(), `program-of-tests-${own}`, "node_modules", "charnn");
  mkdirSync(path.dirname(link), { recursive: true });
  try {
    symlinkSync(clone, link, "junction");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return link;
}
