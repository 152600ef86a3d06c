import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const SOURCE = fileURLToPath(new URL("../../test/fixtures/mpi/stand_in.c", import.meta.url));
const COMPILER = process.env.CC ?? "cc";

/** Why no MPI can be made up here; false where one can. */
export const whyNoStandIn = canCompile()
  ? false
  : "a C compiler for Linux or macOS is wanted: apt-get install gcc";

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
