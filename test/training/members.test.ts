/** Runs that train several models, which predict together. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { membersOf } from "#src/checkpoint/members.js";
import {
  type Checkpoint,
  evaluateTexts,
  exportModel,
  loadCheckpoint,
  nextCharacters,
  openModel,
  sample,
} from "#src/index.js";
import { failsWith } from "../helpers/failure.js";
import {
  endOf,
  inventedText,
  only,
  smallRun,
  tensorsOf,
  trained,
  workplace,
} from "../helpers/training.js";

const DROPPING = { dropout: 0.2, recurrentDropout: 0.1 } as const;

test("Each member of a run has the weights of a run of its own, with the next random seeds", async (t) => {
  const place = await workplace(t);
  // Windows of one character, one after the other, are the same for all seeds.
  const settings = { steps: 12, evalEvery: 5, seqLength: 1, sectionWindows: 0, ...DROPPING };
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

/** A run of two members, and its text. */
async function twoMembers(t: TestContext) {
  const place = await workplace(t);
  await trained(smallRun(place, { members: 2, steps: 40, name: "two" }));
  const both = await loadCheckpoint(`${place.out}/two/best.safetensors`, { weightsOnly: true });
  return { place, both };
}

async function textOf(texts: AsyncIterable<readonly string[]>): Promise<string> {
  let text = "";
  for await (const [characters] of texts) text += characters;
  return text;
}

/** The loss of checkpoints that predict a text together. */
async function lossOf(checkpoints: Checkpoint | Checkpoint[], text: string): Promise<number> {
  for await (const { loss } of evaluateTexts(checkpoints, { files: [text], backend: "wasm" })) {
    return loss;
  }
  return Number.NaN;
}

test("A checkpoint of several members predicts, writes and continues as a mixture of them does", async (t) => {
  const { place, both } = await twoMembers(t);
  const members = membersOf(both);
  assert.equal(await lossOf(both, place.text), await lossOf(members, place.text));
  const writing = { length: 60, randomSeed: 3, backend: "wasm" } as const;
  const mixed = await textOf(sample(members, writing));
  assert.equal(await textOf(sample(both, writing)), mixed);
  const model = await openModel(both, { backend: "wasm" });
  t.after(() => model.close());
  assert.equal(await model.write({ length: 60, randomSeed: 3 }), mixed);
  const { characters } = await nextCharacters(both, { text: mixed.slice(0, 9), backend: "wasm" });
  const total = characters.reduce((sum, { probability }) => sum + probability, 0);
  assert.ok(total > 0.1 && total <= 1 + 1e-9);
});

test("The loss of a run's evaluations is that of its checkpoint", async (t) => {
  const place = await workplace(t);
  const other = path.join(path.dirname(place.text), "other.txt");
  await writeFile(other, inventedText(900, 2));
  const settings = { members: 2, steps: 20, validationFile: other };
  const { bestLoss = 0 } = endOf(await trained(smallRun(place, settings)));
  const loss = await lossOf(await loadCheckpoint(`${place.out}/run/best.safetensors`), other);
  assert.ok(Math.abs(loss - bestLoss) < 1e-5, `${loss} and ${bestLoss}`);
});

test("An exported file holds the first member", async (t) => {
  const { both } = await twoMembers(t);
  const [first] = membersOf(both);
  assert.deepEqual(
    await exportModel(both, { to: "onnx" }),
    await exportModel(first, { to: "onnx" }),
  );
});

test("A run that begins with the weights of several members has as many", async (t) => {
  const { place, both } = await twoMembers(t);
  const from = { initFrom: `${place.out}/two`, steps: 1, learningRate: 1e-30, name: "next" };
  const next = smallRun(place, { ...from, preset: undefined, hiddenSize: undefined } as object);
  const [{ config }] = only(await trained(next), "start");
  assert.equal(config.training.members, 2);
  const again = await loadCheckpoint(`${place.out}/next/last.safetensors`);
  const own = (checkpoint: Checkpoint) =>
    membersOf(checkpoint).map(({ tensors }) => tensors.get("rnn.weight_hh_l0")?.data);
  assert.deepEqual(own(again), own(both));
});

test("Dynamic evaluation refuses several members", async (t) => {
  const { place } = await twoMembers(t);
  const whole = await loadCheckpoint(`${place.out}/two/last.safetensors`);
  const texts = evaluateTexts(whole, { files: [place.text], dynamic: true, backend: "wasm" });
  await assert.rejects(texts.next(), failsWith("INVALID_SETTING", "weights of one model"));
});

test("As many members as there may be are saved and read, and more are refused", async (t) => {
  const place = await workplace(t);
  const size = { hiddenSize: 2, embeddingSize: 2, batchSize: 1, cell: "lstm", steps: 1 } as const;
  await trained(smallRun(place, { ...size, members: 48, layers: 2, name: "most" }));
  const most = await loadCheckpoint(`${place.out}/most/last.safetensors`);
  assert.equal(membersOf(most).length, 48);
  await trained(smallRun(place, { ...size, members: 3, layers: 32, name: "deep" }));
  const many = trained(smallRun(place, { ...size, members: 2, layers: 64 }));
  await assert.rejects(many, failsWith("INVALID_SETTING", "`layers: 64` there are at most 1"));
});
