/** Runs whose checkpoint was changed by hand, with the right checksum: refused, and nothing of them changes. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { filesIn } from "../helpers/executable.js";
import { failsWith } from "../helpers/failure.js";
import { partsOf, sealed } from "../helpers/mutations.js";
import { smallRun, trained, workplace } from "../helpers/training.js";

const MOST = Number.MAX_SAFE_INTEGER;

/** What a checkpoint says; tests write what types forbid. */
interface Facts {
  readonly progress: Record<string, unknown>;
  readonly config: {
    limits: Record<string, unknown>;
    readonly training: Record<string, unknown>;
    readonly text: Record<string, unknown>;
  };
}

/** A run of four steps whose last checkpoint says something else. */
async function forgedRun(t: TestContext, change: (facts: Facts) => void) {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 4 }));
  const file = path.join(place.out, "run", "last.safetensors");
  const { header, data } = partsOf(await readFile(file));
  const members = JSON.parse(header);
  const metadata = members.__metadata__;
  const facts = { progress: JSON.parse(metadata.progress), config: JSON.parse(metadata.config) };
  change(facts);
  for (const [key, value] of Object.entries(facts)) metadata[key] = JSON.stringify(value);
  await writeFile(file, sealed({ header: JSON.stringify(members), data }));
  return { place, file };
}

const FORGERIES: Readonly<Record<string, readonly [(facts: Facts) => void, string | RegExp]>> = {
  "more steps than can be counted": [({ progress }) => (progress.step = MOST), "step must be"],
  "an epoch that can't be counted": [({ progress }) => (progress.epoch = MOST), "epoch must be"],
  "a batch outside of the text": [
    ({ progress }) => (progress.batch = 1_000),
    /number 1001 of an epoch of \d+/,
  ],
  "a batch outside of the windows of its text": [
    ({ progress, config: { training } }) => {
      Object.assign(training, { batching: "windows", stride: MOST });
      progress.batch = 1;
    },
    "number 2 of an epoch of 1",
  ],
  "an evaluation that is still to come": [({ progress }) => (progress.evaluatedAt = 5), "its step"],
  "a best step that is still to come": [({ progress }) => (progress.bestStep = 5), "its step"],
  "steps that went wrong without end": [
    ({ progress }) => (progress.badSteps = 99),
    "badSteps must be",
  ],
  "going back without end": [({ progress }) => (progress.rollbacks = 99), "rollbacks must be"],
  "a sum of losses near infinity": [
    ({ progress }) => (progress.lossSum = 1e308),
    "lossSum must be",
  ],
  "no limit": [({ config }) => (config.limits = {}), "limits must be one limit at least"],
  "epochs without end": [({ config }) => (config.limits = { epochs: MOST }), "epochs must be"],
  "steps without end": [({ config }) => (config.limits = { steps: MOST }), "steps must be"],
  "an option that there is no more": [
    ({ config: { training } }) => (training.momentum = 1),
    "training.momentum is not a setting",
  ],
};

for (const [title, [change, says]] of Object.entries(FORGERIES)) {
  test(title, async (t) => {
    const { place, file } = await forgedRun(t, change);
    const before = await filesIn(place.out);
    await assert.rejects(
      trained(smallRun(place, { resume: true, steps: 9 })),
      failsWith("BAD_CHECKPOINT", file, says),
    );
    assert.deepEqual(await filesIn(place.out), before);
  });
}
