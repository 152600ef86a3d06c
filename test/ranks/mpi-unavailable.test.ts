/** What is said where the processes of a launcher can't be joined. */
import assert from "node:assert/strict";
import { hostname } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { onTheAddon } from "../helpers/addon.js";
import { copiedProgram } from "../helpers/copied-program.js";
import { jsonLines } from "../helpers/executable.js";
import { mpiStandIn, whyNoStandIn } from "../helpers/mpi-stand-in.js";
import { outcomeOf } from "../helpers/program.js";

const RANKS = new URL("../../dist/ranks/mpi-ranks.js", import.meta.url).href;

/** Prints what rank 1 of `size` processes opens by these libraries, or why not. */
async function opened(
  size: number,
  libraries: readonly string[],
  { name = "Open MPI", command = "mpirun", module = RANKS, onOneMachine = true } = {},
) {
  const launcher = { name, command, size, rank: 1, localRank: undefined, onOneMachine, libraries };
  const { code, stdout } = await outcomeOf(`
    import { openMpiRanks } from ${JSON.stringify(module)};
    try {
      const ranks = openMpiRanks(${JSON.stringify(launcher)});
      console.log(JSON.stringify(ranks));
      ranks.close();
    } catch ({ code, message, hint }) {
      console.log(JSON.stringify({ code, message, hint }));
    }`);
  assert.equal(code, 0, stdout);
  const [line, ...others] = jsonLines(stdout);
  assert.deepEqual(others, []);
  return line;
}

onTheAddon("Where MPI is not available", () => {
  test("A library that knows as many processes as the launcher has started joins them", {
    skip: whyNoStandIn,
  }, async () => {
    const { rank, size, library } = await opened(3, [await mpiStandIn()]);
    assert.deepEqual({ rank, size, library }, { rank: 1, size: 3, library: "Stand-in 1.2.3" });
  });

  test("A library that knows another number of processes belongs to another MPI", {
    skip: whyNoStandIn,
  }, async () => {
    const library = await mpiStandIn();
    const { code, message, hint } = await opened(4, [library]);
    assert.equal(code, "MPI_UNAVAILABLE");
    assert.equal(
      message,
      `mpirun started 4 processes, and ${library} (Stand-in 1.2.3) sees 3: it belongs to another MPI.`,
    );
    assert.match(hint, /Open MPI/);
    const onOneOfSeveral = await opened(4, [library], { onOneMachine: false });
    assert.equal(onOneOfSeveral.message, `On machine ${hostname()}: ${message}`);
  });

  test("Where no library loads the loader's own reasons are given, and what to install", async () => {
    const missing = ["/nowhere/libmpi.so.40", "/nowhere/libmpi.so.12"];
    const { code, message, hint } = await opened(4, missing, { name: "MPICH" });
    assert.equal(code, "MPI_UNAVAILABLE");
    const what =
      "mpirun started this as one of 4 processes, but no MPI library could be loaded here: ";
    assert.ok(message.startsWith(what), message);
    if (process.platform !== "win32") {
      for (const file of missing) assert.ok(message.includes(file), message);
    }
    assert.match(hint, /mpich/);
    const bySlurm = await opened(4, missing, { name: "Slurm", command: "srun" });
    assert.match(bySlurm.message, /^srun started this/);
    assert.match(bySlurm.hint, /Slurm/);
  });
});

test("Processes that mpirun has started are not joined without the native backend", async (t) => {
  const program = await copiedProgram(t);
  const file = path.join(path.dirname(program), "../dist/ranks/mpi-ranks.js");
  const module = pathToFileURL(file).href;
  const { code, message, hint } = await opened(4, [], { module });
  assert.equal(code, "MPI_UNAVAILABLE");
  assert.match(
    message,
    /^mpirun started this as one of 4 processes\. The native backend connects them, but it does not load: .+\.$/,
  );
  assert.match(hint, /install/i);
});
