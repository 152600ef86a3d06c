import { execFile } from "node:child_process";
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { CharnnError } from "../errors.js";
import { systemErrorCode } from "../system-error-code.js";

/** TensorFlow's library for processors alone, or for NVIDIA's graphics processors as well. */
export type TensorFlowBuild = "cpu" | "gpu";

interface BuildSizes {
  /** Bytes that are downloaded. */
  readonly download: number;
  /** Bytes that it takes for good. */
  readonly installed: number;
  /** Bytes that it needs until it is done. */
  readonly needed: number;
}

export const TENSORFLOW_SIZES: Readonly<Record<TensorFlowBuild, BuildSizes>> = {
  cpu: { download: 274e6, installed: 860e6, needed: 1500e6 },
  gpu: { download: 574e6, installed: 1270e6, needed: 2300e6 },
};

/** What is installed by most of these functions. */
export const TENSORFLOW = "TensorFlow";
export const NETWORK =
  "Is there a network? To use mirrors, set them for npm and pip: npm config set registry, PIP_INDEX_URL.";

/** More than any of the programs prints. */
const MAX_OUTPUT = 64 * 2 ** 20;

const execute = promisify(execFile);

export interface Tools {
  readonly python: string;
  readonly compiler: string;
  readonly signal: AbortSignal | undefined;
}

/** @throws CharnnError `CANNOT_INSTALL` for one that is missing, and for a system without a library */
export async function findTools({
  python = "python3",
  compiler,
  signal,
}: {
  readonly python?: string | undefined;
  readonly compiler?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}): Promise<Tools> {
  const { platform, arch } = process;
  if (platform !== "linux" || arch !== "x64") {
    throw cannotInstall(
      TENSORFLOW,
      `there is no library for ${platform} ${arch} that charnn knows of`,
    );
  }
  await findPython(TENSORFLOW, python);
  const compilers = compiler ? [compiler] : ["c++", "g++", "clang++"];
  for (const candidate of compilers) {
    if (await runs(candidate, ["--version"])) return { python, compiler: candidate, signal };
  }
  throw cannotInstall(
    TENSORFLOW,
    `there is no C++ compiler (${compilers.join(", ")})`,
    "Install one (apt-get install g++), or name another: CXX=clang++",
  );
}

/**
 * @param what is to be installed, as the subject of a sentence
 * @returns the Python that was named, or the usual one
 * @throws CharnnError `CANNOT_INSTALL` where it is missing, or has no pip
 */
export async function findPython(what: string, named = "python3"): Promise<string> {
  if (await runs(named, ["-m", "pip", "--version"])) return named;
  throw cannotInstall(
    what,
    `${named} with pip is missing`,
    "Install it (apt-get install python3-pip), or name another: PYTHON=python3.12",
  );
}

/** @throws CharnnError `CANNOT_INSTALL` where the disk of `folder` has too little room */
export async function checkSpace(what: string, folder: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const left = bavail * bsize;
  if (left >= needed) return;
  const [has, needs] = [left, needed].map((bytes) => `${Math.floor(bytes / 1e6)} MB`);
  throw cannotInstall(
    what,
    `${dirname(folder)} has ${has} left, and it needs ${needs}`,
    spaceHint(folder),
  );
}

export function spaceHint(folder: string): string {
  return `Make room on the disk of ${dirname(folder)}, or name another place by XDG_DATA_HOME.`;
}

/** @param what can't be installed, as the subject of a sentence: `TensorFlow` */
export function cannotInstall(
  what: string,
  why: string,
  hint?: string,
  cause?: unknown,
): CharnnError {
  return new CharnnError("CANNOT_INSTALL", `${what} can't be installed: ${why}.`, hint, { cause });
}

/**
 * Runs a program to its end.
 *
 * @returns what it printed
 * @throws CharnnError `CANNOT_INSTALL` with `failure` and the last that it said; the reason of a signal
 */
export async function runTool(
  failure: string,
  program: string,
  args: readonly string[],
  {
    what = TENSORFLOW,
    hint,
    env,
    ...options
  }: {
    readonly what?: string;
    /** Variables of the environment, beside those of this process. */
    readonly env?: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal | undefined;
    readonly hint?: string;
  } = {},
): Promise<string> {
  try {
    const { stdout } = await execute(program, args, {
      ...options,
      env: { ...process.env, ...env },
      maxBuffer: MAX_OUTPUT,
    });
    return stdout;
  } catch (cause) {
    // The program may have had the signal too.
    options.signal?.throwIfAborted();
    if (systemErrorCode(cause) === "ENOENT") {
      throw cannotInstall(what, `${failure}, because ${program} is missing`, undefined, cause);
    }
    const reason = reasonIn(String((cause as { stderr?: unknown }).stderr ?? ""));
    throw cannotInstall(what, reason ? `${failure} (${reason})` : failure, hint, cause);
  }
}

/** The line that tells the most of what a program says before it gives up. */
function reasonIn(said: string): string | undefined {
  const lines = said
    .split("\n")
    .filter((line) => /\S/.test(line) && !/\.log$|^\[notice/.test(line));
  const telling = [/reason: |connection broken/i, /error: (?!code)/i, /no space|error/i];
  const line = telling.map((one) => lines.find((each) => one.test(each))).find(Boolean);
  return (line ?? lines.at(-1))?.replace(/^(npm )?(error|warning):? /i, "").trim();
}

async function runs(program: string, args: readonly string[]): Promise<boolean> {
  return execute(program, args).then(
    () => true,
    () => false,
  );
}
