/** What the addon's functions of MPI do not trust. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { onTheAddon } from "../../helpers/addon.js";
import { linesOf, mpiStandIn, whyNoStandIn } from "../../helpers/mpi-stand-in.js";

onTheAddon("The native addon", () => {
  test("The native addon refuses wrong arguments of MPI's functions", {
    skip: whyNoStandIn,
  }, async () => {
    const { code, lines } = await linesOf(`
      failure(() => open(5));
      failure(() => addon.openMpi({ libraries: "libmpi.so" }));
      failure(() => open("libmpi\\0.so"));
      open(${JSON.stringify(await mpiStandIn())});
      const parts = {
        sent: bytes(7, 8, 9),
        sentLengths: lengths(1, 0, 2),
        received: bytes(0, 0, 0),
        receivedLengths: lengths(1, 0, 2),
      };
      const exchange = (changes) => failure(() => addon.exchangeBytes({ ...parts, ...changes }));
      exchange({ sent: Int8Array.of(7, 8, 9) });
      exchange({ sent: bytes(7, 8) });
      exchange({ sentLengths: lengths(1, 2) });
      exchange({ sentLengths: [1, 0, 2] });
      exchange({ received: undefined });
      exchange({ receivedLengths: lengths(1, -1, 3) });
      exchange({ receivedLengths: lengths(2 ** 31 - 1, 2 ** 31 - 1, 5) });
      // Read last, it changes what was read before.
      const exchangeWith = (changes, change) => {
        const values = Object.create({ ...parts, ...changes }, {
          receivedLengths: { get: () => (change(), lengths(1, 0, 2)) },
        });
        failure(() => addon.exchangeBytes(values));
      };
      const late = lengths(1, 0, 2);
      exchangeWith({ sentLengths: late }, () => { late[0] = 2 ** 30; });
      const lost = bytes(7, 8, 9);
      exchangeWith({ sent: lost }, () => structuredClone(lost.buffer, { transfer: [lost.buffer] }));
      const gather = (changes) =>
        failure(() => addon.gatherBytes({ own: bytes(1), received: bytes(0, 0, 0), receivedLengths: lengths(1, 1, 1), ...changes }));
      gather({ own: bytes(1, 2) });
      gather({ receivedLengths: lengths(1, 1, 2) });
      const broadcast = (changes) => failure(() => addon.broadcastBytes({ bytes: bytes(1), root: 0, ...changes }));
      broadcast({ root: 3 });
      broadcast({ root: -1 });
      broadcast({ bytes: "text" });
      failure(() => addon.abortMpi({ code: 256 }));
      addon.closeMpi({});`);
    assert.deepEqual(lines, [
      "TypeError: libraries must be an array of strings.",
      "TypeError: libraries must be an array of strings.",
      "TypeError: libraries must be strings without NUL characters.",
      "TypeError: sent must be a Uint8Array.",
      "TypeError: sentLengths must add up to 2 bytes, not to 3.",
      "TypeError: sentLengths must be an Int32Array of 3, not of 2.",
      "TypeError: sentLengths must be an Int32Array.",
      "TypeError: received must be a Uint8Array.",
      "TypeError: receivedLengths must not be below 0.",
      "TypeError: receivedLengths must add up to 3 bytes, not to 4294967299.",
      "TypeError: sentLengths must add up to 3 bytes, not to 1073741826.",
      "TypeError: An array changed its memory while others were read.",
      "TypeError: own must have as many bytes as receivedLengths says.",
      "TypeError: receivedLengths must add up to 3 bytes, not to 4.",
      "TypeError: root must be a whole number from 0 to 2.",
      "TypeError: root must be a whole number from 0 to 2.",
      "TypeError: bytes must be a Uint8Array.",
      "TypeError: code must be a whole number from 0 to 255.",
    ]);
    assert.equal(code, 0);
  });
});
