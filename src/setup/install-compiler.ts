import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { dataFolder } from "../data-folder.js";
import { cannotInstall, checkSpace, findPython, NETWORK, runTool } from "./tools.js";

const WHAT = "The compiler";
/** Bytes: the wheel, the installed compiler, and what it keeps of the C++ library once compiled. */
export const ZIG_SIZES = { download: 101e6, installed: 440e6, needed: 700e6 };

const ROOT = new URL("../../", import.meta.url);
const BUILD = fileURLToPath(new URL("scripts/build-native.js", ROOT));
const REQUIREMENTS = new URL("scripts/zig-requirements.txt", ROOT);

export interface InstallCompilerOptions {
  /** Asked before anything is downloaded. */
  readonly mayDownload?: () => boolean | Promise<boolean>;
  /** Called with what begins, a short line each. */
  readonly onStep?: (what: string) => void;
  /** Aborted: nothing is installed, and nothing left. */
  readonly signal?: AbortSignal | undefined;
  /** Where it is not `python3`. */
  readonly python?: string | undefined;
}

/**
 * Gets a C++ compiler (zig, from PyPI, one version by its hash) into charnn's data folder where it is not
 * there yet, and compiles the native backend with it.
 *
 * @returns the folder of the compiler; undefined where it may not be downloaded
 * @throws CharnnError `CANNOT_INSTALL` that says what is missing, and how to get it
 */
export async function installCompiler({
  mayDownload = () => true,
  onStep = () => {},
  signal,
  python: asked,
}: InstallCompilerOptions = {}): Promise<string | undefined> {
  if (!existsSync(BUILD)) {
    throw cannotInstall(
      WHAT,
      "only a clone of charnn has the sources of the kernels",
      "Install charnn again with --include=optional: it brings the kernels compiled.",
    );
  }
  const [, version] = /^ziglang==(\S+)/m.exec(await readFile(REQUIREMENTS, "utf8")) ?? [];
  const charnnFolder = join(dataFolder(), "charnn");
  const folder = join(charnnFolder, `zig-${version}`);
  const env: Record<string, string> = {};
  if (!existsSync(folder)) {
    env.PYTHON = await findPython(WHAT, asked);
    if (!(await mayDownload())) return undefined;
    await makeFolder(charnnFolder);
    await checkSpace(WHAT, charnnFolder, ZIG_SIZES.needed);
    onStep(`Downloading zig ${version}, ${ZIG_SIZES.download / 1e6} MB`);
  }
  onStep("Compiling the kernels, some minutes the first time");
  const build = [BUILD, "--zig", "--strict"];
  try {
    await runTool("the kernels can't be compiled", process.execPath, build, {
      what: WHAT,
      env,
      signal,
      hint: NETWORK,
    });
  } finally {
    if (signal?.aborted) await removeUnfinished(folder);
  }
  return folder;
}

/** Removes what a script that a signal ended had no time to. */
async function removeUnfinished(folder: string): Promise<void> {
  const unfinished = `${basename(folder)}-unfinished-`;
  for (const name of await readdir(dirname(folder))) {
    if (name.startsWith(unfinished)) {
      await rm(join(dirname(folder), name), { recursive: true, force: true, maxRetries: 3 });
    }
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    const hint = "XDG_DATA_HOME names another place.";
    throw cannotInstall(WHAT, `${folder} can't be written`, hint, cause);
  }
}
