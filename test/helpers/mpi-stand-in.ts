import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { outcomeOf } from "./program.js";

const SOURCE = fileURLToPath(new URL("../../test/fixtures/mpi/stand_in.c", import.meta.url));
const COMPILER = process.env.CC ?? "cc";

/** Why no MPI can be made up here; false where one can. */
export const whyNoStandIn = canCompile()
  ? false
  : "a C compiler for Linux or macOS is wanted: apt-get install gcc";

/** By its address, which a thread's module needs. */
const ADDON = new URL("../../dist/backends/native/addon.js", import.meta.url).href;

/** The first lines of a program that calls MPI by the addon. */
export const START = `
  import { Worker } from "node:worker_threads";
  import { loadAddon } from "${ADDON}";
  const addon = loadAddon();
  const open = (...libraries) => addon.openMpi({ libraries });
  const bytes = (...numbers) => Uint8Array.from(numbers);
  const lengths = (...numbers) => Int32Array.from(numbers);
  const say = (...words) => console.log(...words);
  const failure = (work) => {
    try {
      work();
    } catch ({ name, code, message }) {
      say([name, code].filter(Boolean).join(" ") + ": " + message);
    }
  };`;

/** The lines that a program prints that begins with {@link START}. */
export async function linesOf(
  program: string,
): Promise<{ code: number | string; lines: string[] }> {
  const { code, stdout } = await outcomeOf(`${START}\n${program}`);
  return { code, lines: stdout.split("\n") };
}

const compiled = new Map<string, Promise<string>>();
let folder: string | undefined;

/** Compiles a library that stands in for an MPI, as rank 1 of 3; the file goes away with this process. */
export function mpiStandIn(...defined: readonly string[]): Promise<string> {
  const key = defined.join(" ");
  const library = compiled.get(key) ?? compile(defined);
  compiled.set(key, library);
  return library;
}

async function compile(defined: readonly string[]): Promise<string> {
  if (folder === undefined) {
    const created = mkdtempSync(path.join(tmpdir(), "charnn-mpi-"));
    process.once("exit", () => rmSync(created, { recursive: true }));
    folder = created;
  }
  const library = path.join(folder, `libmpi_${compiled.size}.so`);
  const flags = ["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"];
  const defines = defined.map((name) => `-D${name}`);
  await promisify(execFile)(COMPILER, [...flags, ...defines, SOURCE, "-o", library]);
  return library;
}

function canCompile(): boolean {
  return process.platform !== "win32" && spawnSync(COMPILER, ["--version"]).status === 0;
}
