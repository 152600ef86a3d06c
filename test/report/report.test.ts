import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { type ReportSettings, writeReport } from "#src/index.js";
import { makeReport } from "#src/report/report.js";
import { failsWith } from "../helpers/failure.js";
import { inventedText, smallRun, trained, workplace } from "../helpers/training.js";

const EVIL = `</script><script>alert(1)</script><!-- <b>"'&\x1b[31m`;

async function trainedRun(t: TestContext, text?: string) {
  const place = await workplace(t, text);
  await trained(smallRun(place, { steps: 20, evalEvery: 5, embeddingSize: 4 }));
  const settings: ReportSettings = { runs: ["run"], out: place.out, backend: "wasm" };
  const file = path.join(place.out, "report.html");
  return { place, settings, file };
}

/** What the page's script is given. */
function dataOf(page: string) {
  const json = /<script type="application\/json" id="data">(.*)<\/script>/.exec(page)?.[1];
  return JSON.parse(json ?? "null");
}

test("A report is one file that requests no other", async (t) => {
  const { settings, place, file } = await trainedRun(t);
  const { path: written, warnings } = await writeReport({ ...settings, text: [place.text] }, file);
  assert.deepEqual([written, warnings], [file, []]);
  const page = await readFile(file, "utf8");
  assert.doesNotMatch(page, /(?:src|href)="(?!#|data:)/);
  assert.match(page, /Content-Security-Policy" content="default-src &#39;none&#39;;/);
  assert.equal(page.match(/<script/g)?.length, 3);
  for (const id of ["figures", "curves", "samples", "surprise", "neurons", "settings"]) {
    assert.ok(page.includes(`href="#${id}"`) && page.includes(`<h2 id="${id}">`), id);
  }
});

test("A report has the run's curves, figures, settings and vocabulary", async (t) => {
  const { settings, place } = await trainedRun(t);
  const report = await makeReport({ ...settings, text: [place.text] });
  const { loss, rate } = report.charts;
  assert.deepEqual(
    loss.lines.map(({ name }) => name),
    ["training loss of run", "validation loss of run"],
  );
  assert.equal(loss.steps.length, 20);
  assert.deepEqual(
    loss.lines[1].values.flatMap((value, k) => (value === null ? [] : [loss.steps[k]])).slice(0, 2),
    [5, 10],
  );
  assert.equal(rate.lines[0].values.length, 20);
  const settingsShown = new Map(report.settings);
  assert.equal(settingsShown.get("model: hidden size"), "8");
  assert.equal(report.figures[0][0], "run");
  const text = await readFile(place.text, "utf8");
  for (const { character, count, nearest } of report.neighbours) {
    assert.equal(count, text.split(character).length - 1);
    assert.ok(nearest.length === 5 && !nearest.includes(character));
  }
});

test("A report shows the surprisal and the activations on the held-out part", async (t) => {
  const { settings, place } = await trainedRun(t);
  const { view } = await makeReport({ ...settings, text: [place.text] });
  assert.ok(view?.isHeldOut);
  const text = await readFile(place.text, "utf8");
  const shown = view.data.characters.join("");
  assert.equal(shown, text.slice(-shown.length));
  assert.equal(shown.length, Math.round(text.length / 10));
  assert.equal(view.data.bits[0], null);
  for (const [place_, expected] of view.data.expected.entries()) {
    const bits = view.data.bits[place_];
    if (bits === null) continue;
    const own = expected.find(([character]) => character === view.data.characters[place_]);
    // To the digits that are kept.
    if (own) assert.ok(Math.abs(2 ** -bits - own[1]) < 0.01, `${bits} bits, ${own[1]}`);
    assert.ok(expected[0][1] >= expected[1][1]);
  }
  const bytes = Buffer.from(view.data.activations, "base64");
  assert.equal(bytes.length, 8 * shown.length);
  const other = await workplace(t, `${inventedText(400, 9)}Ä`);
  const elsewhere = await makeReport({ ...settings, text: [other.text] });
  assert.equal(elsewhere.view?.isHeldOut, false);
  assert.match(elsewhere.warnings.join(), /1 characters .*"Ä"/);
  await assert.rejects(
    makeReport({ ...settings, text: [other.text], unknown: "error" }),
    failsWith("UNKNOWN_CHARACTER", "Ä"),
  );
});

test("A report escapes whatever the text holds", async (t) => {
  const { settings, place, file } = await trainedRun(t, `${inventedText(400)}${EVIL}`.repeat(2));
  await writeReport({ ...settings, text: [place.text] }, file);
  const page = await readFile(file, "utf8");
  assert.equal(page.match(/<\/script/gi)?.length, 3);
  assert.ok(!page.includes("<script>alert") && !page.includes("\x1b"));
  assert.ok(dataOf(page).text.characters.join("").includes("</script>"));
});

test("A report of a run with 100,000 lines of metrics is small", async (t) => {
  const { settings, place, file } = await trainedRun(t);
  const lines = Array.from({ length: 100_000 }, (_, k) => {
    const loss = 1.5 + 2 * Math.exp(-k / 5_000) + 0.1 * Math.sin(k);
    const report = { step: k + 1, epoch: 1, loss, learningRate: 1e-3, charsPerSecond: 5e4 };
    return `${JSON.stringify({ event: "step", ...report, gradientNorm: 0.3, seconds: k })}\n`;
  });
  await writeFile(path.join(place.out, "run", "metrics.jsonl"), lines.join(""));
  await writeReport(settings, file);
  const page = await readFile(file, "utf8");
  assert.ok(page.length < 500_000, `${page.length} bytes`);
  const { steps } = dataOf(page).charts.loss;
  assert.ok(steps.length > 1_000 && steps.length <= 1_500);
});

test("A report of a run without a checkpoint leaves out the parts that need one", async (t) => {
  const { settings, place, file } = await trainedRun(t);
  for (const name of ["best", "last"]) {
    await rm(path.join(place.out, "run", `${name}.safetensors`));
  }
  await writeReport(settings, file);
  assert.doesNotMatch(await readFile(file, "utf8"), /id="(?:settings|vocabulary|surprise)"/);
  await assert.rejects(
    makeReport({ ...settings, text: [place.text] }),
    failsWith("NOT_FOUND", "no checkpoint yet"),
  );
});
