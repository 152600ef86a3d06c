/** Every signal to every command, in every phase and on every backend. */
import assert from "node:assert/strict";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { caseDraw, scratchFolder } from "../faults/campaign.js";
import { makeSignalFixtures, SIGNAL_CASES } from "../faults/signal-cases.js";
import { SENT, type Sent, tryOne, usableBackends } from "../faults/signals.js";

/** On a busy machine. */
const MAX_MILLISECONDS = 10_000;

const skip = process.platform !== "linux" && "it takes /proc to see that a command hears signals";

describe("A command that gets a signal", { skip, concurrency: 2 }, () => {
  const place = { fixtures: "", scratch: "", most: MAX_MILLISECONDS };
  let backends: Awaited<ReturnType<typeof usableBackends>> = [];
  before(async () => {
    place.scratch = await scratchFolder();
    place.fixtures = path.join(place.scratch, "fixtures");
    await mkdir(place.fixtures);
    await makeSignalFixtures(place.fixtures);
    backends = await usableBackends(place.fixtures);
  });
  after(() => rm(place.scratch, { recursive: true, force: true }));

  for (const [number, tried] of SIGNAL_CASES.entries()) {
    for (const sent of Object.keys(SENT) as Sent[]) {
      it(`ends in time and leaves what it should: ${tried.name}, ${sent}`, async () => {
        for (const backend of tried.onEach ? backends : (["native"] as const)) {
          const draw = caseDraw(1, number);
          const { wrong } = await tryOne(place, { tried, sent, backend, draw });
          assert.equal(wrong, undefined, backend);
        }
      });
    }
  }
});
