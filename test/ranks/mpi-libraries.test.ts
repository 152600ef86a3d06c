import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { mpiLibraries } from "#src/ranks/mpi-libraries.js";
import { temporaryFolder } from "../helpers/folder.js";

const MODULE = new URL("../../dist/ranks/mpi-libraries.js", import.meta.url).href;

const OPEN_MPI = ["libmpi.so.40"];
const MPICH = ["libmpi.so.12", "libmpich.so.12", "libmpi_abi.so.1"];

test("The libraries of a launcher that can't be found are those that the system's loader finds", () => {
  const system = { platform: "linux", program: undefined } as const;
  assert.deepEqual(mpiLibraries(["Open MPI"], {}, system), OPEN_MPI);
  assert.deepEqual(mpiLibraries(["MPICH"], {}, system), MPICH);
  assert.deepEqual(mpiLibraries(["MPICH", "Open MPI"], {}, system), [...MPICH, ...OPEN_MPI]);
});

test("A library that is installed with the launcher is taken before others", async (t) => {
  const folder = await installed(t, ["lib/libmpi.so.40", "lib64/libmpi_abi.so.1"]);
  const system = { platform: "linux", program: path.join(folder, "bin", "mpirun") } as const;
  assert.deepEqual(mpiLibraries(["MPICH", "Open MPI"], {}, system), [
    path.join(folder, "lib64/libmpi_abi.so.1"),
    path.join(folder, "lib/libmpi.so.40"),
    ...MPICH,
    ...OPEN_MPI,
  ]);
});

test("The libraries of macOS have its names, and none is known for Windows", async (t) => {
  const folder = await installed(t, ["lib/libmpi.40.dylib"]);
  const program = path.join(folder, "bin", "mpirun");
  const found = mpiLibraries(["Open MPI"], {}, { platform: "darwin", program });
  assert.deepEqual(found.slice(0, 2), [
    path.join(folder, "lib/libmpi.40.dylib"),
    "libmpi.40.dylib",
  ]);
  assert.deepEqual(mpiLibraries(["Open MPI"], {}, { platform: "win32", program }), []);
});

test("The launcher is found among the programs that have started this one", {
  skip: process.platform !== "linux" && "only Linux tells",
}, async (t) => {
  const folder = await installed(t, ["bin/orted", "lib/libmpi.so.40"]);
  const orted = path.join(folder, "bin/orted");
  await copyFile(process.execPath, orted);
  const print = `
    import { mpiLibraries } from ${JSON.stringify(MODULE)};
    console.log(mpiLibraries(["Open MPI"], {}).join(" "));`;
  const node = [process.execPath, "--input-type=module", "--eval", print];
  // With a shell between the two.
  const start = `
    const shell = ["-c", '"$@"; exit $?', "sh", ...${JSON.stringify(node)}];
    require("node:child_process").spawnSync("sh", shell, { stdio: "inherit" });`;
  const printed = execFileSync(orted, ["--eval", start]);
  assert.equal(`${printed}`.trim(), `${path.join(folder, "lib/libmpi.so.40")} libmpi.so.40`);
});

/** A folder with these files, empty. */
async function installed(t: TestContext, files: readonly string[]): Promise<string> {
  const folder = await temporaryFolder(t);
  for (const file of files) {
    await mkdir(path.join(folder, path.dirname(file)), { recursive: true });
    await writeFile(path.join(folder, file), "");
  }
  return folder;
}
