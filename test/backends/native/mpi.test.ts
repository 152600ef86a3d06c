/** What the addon calls of MPI, with libraries that stand in for each interface of MPIs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { onTheAddon } from "../../helpers/addon.js";
import { linesOf, mpiStandIn, START, whyNoStandIn } from "../../helpers/mpi-stand-in.js";
import { moduleOf } from "../../helpers/program.js";

/** What each stand-in is compiled with. */
const INTERFACES = {
  "Open MPI": ["OPEN_MPI"],
  MPICH: [],
  "the MPI standard": ["ABI", "ABI_VERSION=1"],
  "MPICH, in versions that know of the standard's": ["ABI_VERSION=0"],
};

onTheAddon("The native addon", () => {
  for (const [name, defined] of Object.entries(INTERFACES)) {
    test(`The native addon moves bytes by the interface of ${name}`, {
      skip: whyNoStandIn,
    }, async () => {
      const library = await mpiStandIn(...defined);
      const { code, lines } = await linesOf(`
        const { file, ...facts } = open(${JSON.stringify(library)});
        say(file === ${JSON.stringify(library)}, JSON.stringify(facts));
        const received = bytes(0, 0, 0, 0, 0);
        addon.exchangeBytes({
          sent: bytes(7, 8, 9),
          sentLengths: lengths(1, 0, 2),
          received: received.subarray(1, 4),
          receivedLengths: lengths(1, 0, 2),
        });
        say(received.join(" "));
        addon.gatherBytes({
          own: bytes(5, 6),
          received,
          receivedLengths: lengths(2, 2, 1),
        });
        say(received.join(" "));
        addon.broadcastBytes({ bytes: received.subarray(0, 3), root: 2 });
        say(received.join(" "));
        addon.closeMpi({});`);
      const facts = { rank: 1, size: 3, version: "Stand-in Version:\t1.2.3\nUCX_MEM_EVENTS=no" };
      assert.deepEqual(
        { code, lines },
        {
          code: 0,
          lines: [
            `true ${JSON.stringify(facts)}`,
            "0 7 8 9 0",
            "0 0 5 6 2",
            "broadcast 3",
            "2 2 2 6 2",
          ],
        },
      );
    });
  }

  test("The native addon keeps UCX from testing its memory hooks, unless the user has it do so", {
    skip: whyNoStandIn,
  }, async () => {
    const { code, lines } = await linesOf(`
      process.env.UCX_MEM_EVENTS = "yes";
      say(open(${JSON.stringify(await mpiStandIn())}).version.split("\\n")[1]);
      addon.closeMpi({});`);
    assert.deepEqual({ code, lines }, { code: 0, lines: ["UCX_MEM_EVENTS=yes"] });
  });

  test("The native addon broadcasts more than 64 MiB in slices", {
    skip: whyNoStandIn,
  }, async () => {
    const slice = 64 * 2 ** 20;
    const { code, lines } = await linesOf(`
      open(${JSON.stringify(await mpiStandIn())});
      const message = new Uint8Array(${slice} + 1);
      addon.broadcastBytes({ bytes: message, root: 2 });
      say(message[0], message.at(-2), message.at(-1));
      addon.broadcastBytes({ bytes: bytes(), root: 2 });
      addon.closeMpi({});`);
    const calls = [slice, 1].map((count) => `broadcast ${count}`);
    assert.deepEqual({ code, lines }, { code: 0, lines: [...calls, "2 2 2"] });
  });

  test("The native addon takes the first MPI library that has all functions, and says why not the others", {
    skip: whyNoStandIn,
  }, async () => {
    const lacking = await mpiStandIn("WITHOUT_BCAST");
    const whole = await mpiStandIn();
    const missing = `${lacking}.missing`;
    const { code, lines } = await linesOf(`
      failure(() => open(${JSON.stringify(missing)}, ${JSON.stringify(lacking)}));
      say(open(${JSON.stringify(missing)}, ${JSON.stringify(lacking)}, ${JSON.stringify(whole)}).file);
      addon.closeMpi({});`);
    assert.equal(code, 0);
    assert.equal(lines.length, 2, lines.join("\n"));
    assert.ok(lines[0].startsWith("Error CHARNN_MPI_UNAVAILABLE: "), lines[0]);
    assert.ok(lines[0].includes(missing), lines[0]);
    assert.ok(lines[0].endsWith(`; ${lacking}: it has no MPI_Bcast`), lines[0]);
    assert.equal(lines[1], whole);
  });

  test("The native addon opens MPI once in a process, and calls it for the thread that did", {
    skip: whyNoStandIn,
  }, async () => {
    const library = JSON.stringify(await mpiStandIn());
    const worker = moduleOf(`${START}
      failure(() => addon.broadcastBytes({ bytes: bytes(1), root: 0 }));
      failure(() => open(${library}));`);
    const { code, lines } = await linesOf(`
      const call = () => addon.broadcastBytes({ bytes: bytes(1), root: 0 });
      failure(call);
      open(${library});
      failure(() => open(${library}));
      const thread = new Worker(new URL("${worker}"));
      await new Promise((resolve) => thread.on("exit", resolve));
      addon.closeMpi({});
      addon.closeMpi({});
      failure(call);
      failure(() => open(${library}));`);
    const notOpen = "Error: MPI is not open.";
    const before = "Error: MPI was opened before.";
    assert.deepEqual(
      { code, lines },
      { code: 0, lines: [notOpen, before, notOpen, before, notOpen, before] },
    );
  });

  for (const [how, last, code] of [
    ["by itself", "", 1],
    ["by process.exit", "process.exit(0);", 1],
    ["with an error that nobody catches", "throw new Error('a bug');", 1],
    ["with a promise that is rejected", "Promise.reject(new Error('a bug'));", 1],
    ["by abortMpi", "addon.abortMpi({ code: 7 });", 7],
  ] as const) {
    test(`The native addon aborts MPI where a process ends ${how} and has not closed it`, {
      skip: whyNoStandIn,
    }, async () => {
      const { lines, ...outcome } = await linesOf(`
        open(${JSON.stringify(await mpiStandIn())});
        ${last}`);
      assert.equal(outcome.code, code);
      assert.ok(lines.includes(`aborted with ${code}`), lines.join("\n"));
    });
  }

  test("The native addon lets a process end as it likes that has closed MPI", {
    skip: whyNoStandIn,
  }, async () => {
    const { code, lines } = await linesOf(`
      open(${JSON.stringify(await mpiStandIn())});
      addon.closeMpi({});
      process.exit(3);`);
    assert.deepEqual({ code, lines }, { code: 3, lines: [""] });
  });
});
