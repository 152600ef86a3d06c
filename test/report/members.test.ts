/** Reports on a run whose members predict together. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { membersOf } from "#src/checkpoint/members.js";
import { loadCheckpoint, writeReport } from "#src/index.js";
import { makeReport } from "#src/report/report.js";
import { expectations, mixed } from "../helpers/mixtures.js";
import { assertClose } from "../helpers/numbers.js";
import { smallRun, trained, workplace } from "../helpers/training.js";

for (const documents of [undefined, "lines"] as const) {
  const of = documents === undefined ? "running text" : "lines";
  test(`A report of a run of ${of} with members shows what these predict together, and says whose units it shows`, async (t) => {
    const place = await workplace(t, undefined);
    await trained(smallRun(place, { members: 2, steps: 20, learningRate: 0.05, documents }));
    const settings = {
      runs: ["run"],
      out: place.out,
      text: [place.text],
      backend: "wasm",
    } as const;
    const { view } = await makeReport(settings);
    assert.equal(view?.members, 2);
    const { characters, bits, expected, probabilities } = view.data;
    const members = membersOf(await loadCheckpoint("run", { out: place.out }));
    const text = await readFile(place.text, "utf8");
    const length = Math.round(text.length / 10);
    // Held-out lines come from anywhere; each but the first is read from the newline before it.
    const heldOut = documents === undefined ? [...text.slice(-length)] : characters;
    const shownFrom = heldOut.length - characters.length;
    const newline = characters.indexOf("\n");
    const [from, to] =
      documents === undefined
        ? [0, heldOut.length]
        : [newline, characters.indexOf("\n", newline + 1)];
    const read = heldOut.slice(from, to);
    const all = await Promise.all(members.map((it) => expectations(t, it, read.join(""))));
    let compared = 0;
    for (const [at, character] of read.entries()) {
      const shown = from + at - shownFrom;
      if (at === 0 || shown < 0) continue;
      const mean = mixed(
        all.map((own) => own[at]),
        [0.5, 0.5],
      );
      assertClose([Number(bits[shown])], [-Math.log2(Number(mean.get(character)))], 0.01, "bits");
      const likeliest = [...mean.values()].sort((a, b) => b - a).slice(0, 5);
      assertClose(probabilities[shown], likeliest, 0.001, "probabilities");
      assert.ok(Number(mean.get(expected[shown][0])) > likeliest[0] - 1e-5);
      compared++;
    }
    assert.ok(compared > 5);
    const file = path.join(place.out, "report.html");
    await writeReport(settings, file);
    const page = await readFile(file, "utf8");
    assert.match(page, /GRU 1x8, 2 members, [\d,]+ parameters each/);
    assert.match(page, /surprised the run&#39;s 2 models, which predict together/);
    assert.match(page, /The units are those of the first of the run&#39;s 2 models\./);
    assert.match(page, /that the first of 2 models takes for similar/);
  });
}
