/** Runs that train several models, which predict together. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { membersOf } from "#src/checkpoint/members.js";
import { loadCheckpoint } from "#src/index.js";
import { endOf, only, smallRun, tensorsOf, trained, workplace } from "../helpers/training.js";

const DROPPING = { dropout: 0.2, recurrentDropout: 0.1 } as const;

test("Each member of a run has the weights of a run of its own, with the next random seeds", async (t) => {
  const place = await workplace(t);
  // Windows of one character are the same for all seeds.
  const settings = { steps: 12, evalEvery: 5, seqLength: 1, ...DROPPING };
  await trained(smallRun(place, { ...settings, members: 3, randomSeed: 4, name: "together" }));
  const members = membersOf(await loadCheckpoint(`${place.out}/together/last.safetensors`));
  assert.equal(members.length, 3);
  for (const [index, { tensors }] of members.entries()) {
    const name = `alone-${index}`;
    await trained(smallRun(place, { ...settings, randomSeed: 4 + index, name }));
    const alone = await loadCheckpoint(`${place.out}/${name}/last.safetensors`);
    assert.deepEqual([...tensors.keys()], [...alone.tensors.keys()]);
    for (const [tensor, { data }] of alone.tensors) {
      assert.deepEqual(tensors.get(tensor)?.data, data, `${tensor} of member ${index}`);
    }
  }
});

test("The held-out loss of a run is that of the mean of its members' predictions", async (t) => {
  const place = await workplace(t);
  const one = endOf(await trained(smallRun(place, { steps: 30, name: "one" })));
  const three = endOf(await trained(smallRun(place, { steps: 30, members: 3, name: "three" })));
  const others = [];
  for (const randomSeed of [1, 2]) {
    others.push(
      endOf(await trained(smallRun(place, { steps: 30, randomSeed, name: `${randomSeed}` }))),
    );
  }
  const alone = [one, ...others].map(({ bestLoss = Number.NaN }) => bestLoss);
  const mean = alone.reduce((sum, loss) => sum + loss, 0) / 3;
  // By convexity.
  assert.ok((three.bestLoss ?? 0) < mean, `${three.bestLoss} of ${alone}`);
});

test("A run of several members is resumed to the bytes of one that was never stopped", async (t) => {
  const place = await workplace(t);
  const settings = { members: 2, evalEvery: 4, ...DROPPING };
  await trained(smallRun(place, { ...settings, steps: 12, name: "whole" }));
  await trained(smallRun(place, { ...settings, steps: 12, name: "parts" }), (event) => {
    return event.event === "step" && event.step === 7;
  });
  const events = await trained(
    smallRun(place, { ...settings, steps: 12, name: "parts", resume: true }),
  );
  assert.equal(only(events, "start")[0].step, 7);
  assert.deepEqual(await tensorsOf(place, "parts"), await tensorsOf(place, "whole"));
});
