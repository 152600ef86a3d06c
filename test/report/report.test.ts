import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { type ReportSettings, writeReport } from "#src/index.js";
import { makeReport } from "#src/report/report.js";
import { commandOf } from "#src/report/reported-run.js";
import { quoted } from "#src/shell-words.js";
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
  for (const id of [
    "result",
    "curves",
    "samples",
    "training",
    "surprisal",
    "neurons",
    "settings",
  ]) {
    assert.ok(page.includes(`href="#${id}"`) && page.includes(`<h2 id="${id}">`), id);
  }
});

test("A report has the run's curves, the axes to show them by, its settings and vocabulary", async (t) => {
  const { settings, place } = await trainedRun(t);
  const report = await makeReport({ ...settings, text: [place.text] });
  const { loss, rate, norm, axes } = report.charts;
  assert.deepEqual(
    loss.lines.map(({ run, metric }) => [run, metric]),
    [
      [0, "training-loss"],
      [0, "validation-loss"],
    ],
  );
  assert.equal(loss.steps.length, 20);
  assert.deepEqual(
    loss.lines[1].values.flatMap((value, k) => (value === null ? [] : [loss.steps[k]])).slice(0, 2),
    [5, 10],
  );
  assert.equal(rate.lines[0].values.length, 20);
  assert.equal(norm.lines[0].values.length, 20);
  const valuesOf = (name: string) => axes.lines.find(({ metric }) => metric === name)?.values ?? [];
  // 4 rows of 8 characters a step, of 630 characters.
  assert.equal(valuesOf("characters").at(-1), 20 * 32);
  assert.ok(Math.abs((valuesOf("epoch")[9] ?? 0) - 320 / 630) < 0.01, `${valuesOf("epoch")}`);
  assert.equal(valuesOf("epoch").at(-1), 1);
  const seconds = valuesOf("seconds").map(Number);
  assert.ok(seconds.every((value, k) => k === 0 || value >= seconds[k - 1]));
  const text = await readFile(place.text, "utf8");
  const [vocabulary] = report.vocabularies;
  assert.ok(vocabulary && vocabulary.order === "frequency");
  assert.equal(vocabulary.neighbours.length + vocabulary.rare, vocabulary.size);
  const counts = vocabulary.neighbours.map(({ count }) => count ?? 0);
  assert.deepEqual(
    counts,
    counts.toSorted((a, b) => b - a),
  );
  assert.ok(counts.every((count) => count >= 5));
  const frequent = new Set(vocabulary.neighbours.map(({ character }) => character));
  for (const { character, count, nearest } of vocabulary.neighbours) {
    assert.equal(count, text.split(character).length - 1);
    assert.ok(nearest.length === 5 && !nearest.includes(character));
    assert.ok(nearest.every((other) => frequent.has(other)));
  }
});

test("A report leaves out characters that occur too seldom to have a vector worth showing", async (t) => {
  const { settings, place } = await trainedRun(
    t,
    `${inventedText(300)}QQQQ #${inventedText(400, 2)}`,
  );
  const { vocabularies } = await makeReport({ ...settings, text: [place.text] });
  const { rare, size, neighbours } = vocabularies[0] ?? { neighbours: [] };
  const shown = neighbours.flatMap(({ character, nearest }) => [character, ...nearest]);
  assert.ok(shown.length > 10 && !shown.includes("Q") && !shown.includes("#"));
  assert.ok(rare !== undefined && rare >= 2 && rare + neighbours.length === size);
  const unread = await makeReport(settings);
  const all = unread.vocabularies[0]?.neighbours.map(({ character }) => character) ?? [];
  assert.ok(all.includes("Q") && all.includes("#"));
});

test("The counts of a text are those of another run too, where that reads the text in the same way", async (t) => {
  const lines = inventedText(700).replaceAll("\n", "\n\n").replaceAll("day", "Day");
  const place = await workplace(t, lines);
  const settings = { steps: 2, documents: "paragraphs" } as const;
  await trained(smallRun(place, { ...settings, name: "one" }));
  await trained(smallRun(place, { ...settings, name: "other", randomSeed: 1 }));
  await trained(smallRun(place, { ...settings, name: "small", lowercase: true }));
  const { vocabularies } = await makeReport({
    ...{ runs: ["one", "other", "small"], out: place.out, text: [place.text], backend: "wasm" },
  });
  const orders = vocabularies.map((it) => it?.order);
  assert.deepEqual(orders, ["frequency", "frequency", "code point"]);
  const ends = vocabularies[1]?.neighbours.find(({ character }) => character === "");
  assert.equal(ends?.count, lines.split("\n\n").length - 1);
});

test("A report without a text has the vocabulary in the order of its code points, and says so", async (t) => {
  const { settings, file } = await trainedRun(t);
  const { vocabularies } = await makeReport(settings);
  const characters = vocabularies[0]?.neighbours.map(({ character }) => character) ?? [];
  assert.deepEqual(characters, characters.toSorted());
  assert.equal(characters.length, vocabularies[0]?.size);
  await writeReport(settings, file);
  assert.match(
    await readFile(file, "utf8"),
    /by code point: how often each occurs is known where a text was given/,
  );
});

test("A report begins with the held-out loss, the n-gram baseline and the command that makes the run", async (t) => {
  const { settings, place, file } = await trainedRun(t);
  await writeReport(settings, file);
  const page = await readFile(file, "utf8");
  const { runs } = await makeReport(settings);
  const { best } = runs[0].metrics;
  assert.ok(best);
  const headline = /<p class="headline">(.*?)<\/p>/.exec(page)?.[1] ?? "";
  assert.ok(headline.includes(`${best.loss.toFixed(3)} nats/char`), headline);
  assert.ok(headline.includes(`${(best.loss / Math.LN2).toFixed(3)} bits/char`), headline);
  assert.match(headline, new RegExp(`best at step ${best.step}; .* n-gram baseline`));
  assert.match(page, /\d-gram baseline, on the same text/);
  assert.match(page, /<dt>backend<\/dt><dd>wasm, \d/);
  assert.match(page, /<dt>begun<\/dt><dd>\d{4}-\d\d-\d\d \d\d:\d\d UTC/);
  assert.match(page, /<dt>charnn<\/dt><dd>\d+\.\d+\.\d+/);
  const command = commandOf(runs[0]) ?? "";
  assert.ok(command.startsWith(`charnn train ${quoted(place.text)} `), command);
  assert.match(command, /--hidden-size 8 .*--name run/);
});

test("A report makes the command of a run from its config where the run has not recorded it", async (t) => {
  const { settings, place, file } = await trainedRun(t);
  const metrics = path.join(place.out, "run", "metrics.jsonl");
  const lines = (await readFile(metrics, "utf8")).split("\n");
  await writeFile(metrics, lines.filter((line) => !line.includes('"event":"run"')).join("\n"));
  const { runs } = await makeReport(settings);
  const command = commandOf(runs[0]) ?? "";
  assert.match(command, /^charnn train FILE --preset tiny --hidden-size 8 --embedding-size 4 /);
  for (const given of [
    "--batch-size 4",
    "--seq-length 8",
    "--steps 20",
    "--eval-every 5",
    "--name run",
  ]) {
    assert.ok(command.includes(given), command);
  }
  assert.doesNotMatch(command, /--stride|--cell|--layers|--optimizer|--split|--line-ends/);
  await writeReport(settings, file);
  assert.doesNotMatch(await readFile(file, "utf8"), /<dt>backend/);
});

test("A report of two runs has their settings side by side, and the vocabulary of each", async (t) => {
  const { settings, place, file } = await trainedRun(t);
  await trained(smallRun(place, { name: "other", steps: 10, cell: "lstm", maxTime: 120 }));
  await writeReport({ ...settings, runs: ["run", "other"] }, file);
  const page = await readFile(file, "utf8");
  const parts = page.split('<h2 id="settings">')[1].split('<h2 id="vocabulary">');
  const [differing, equal] = parts[0].split("<details>");
  const rowOf = (name: string) => new RegExp(`${name}</th><td>(.*?)</td><td>(.*?)</td>`);
  assert.deepEqual(rowOf("cell").exec(differing)?.slice(1), ["GRU", "LSTM"]);
  assert.deepEqual(rowOf("time limit").exec(differing)?.slice(1), ["", "2 min"]);
  assert.doesNotMatch(differing, /window length/);
  assert.match(equal, /window length<\/th><td>8<\/td>/);
  assert.doesNotMatch(
    page.split("<script")[0],
    /[{}]&quot;|seqLength|seq length|max time|fingerprint/,
  );
  assert.match(parts[1], /run<\/span><\/h3>.*other<\/span><\/h3>/s);
  assert.match(page, /held out, nats\/char/);
});

test("A report shows the surprisal and the activations on the held-out part, from its first whole line on", async (t) => {
  const { settings, place } = await trainedRun(t);
  const { view } = await makeReport({ ...settings, text: [place.text] });
  assert.ok(view?.isHeldOut);
  const text = await readFile(place.text, "utf8");
  const shown = view.data.characters.join("");
  assert.equal(shown, text.slice(-shown.length));
  const heldOut = text.slice(-Math.round(text.length / 10));
  assert.equal(view.start.at, "line");
  assert.equal(shown, heldOut.slice(heldOut.indexOf("\n") + 1));
  assert.equal(view.data.bits.length, shown.length);
  for (const [position, expected] of view.data.expected.entries()) {
    const bits = view.data.bits[position];
    // The model has read what stands before.
    assert.ok(bits !== null);
    const probabilities = view.data.probabilities[position];
    assert.equal(expected.length, 5);
    const own = expected.indexOf(view.data.characters[position]);
    // To the digits that are kept.
    if (own >= 0) assert.ok(Math.abs(2 ** -bits - probabilities[own]) < 0.01, `${bits} bits`);
    assert.ok(probabilities.every((value, k) => k === 0 || value <= probabilities[k - 1]));
  }
  const bytes = Buffer.from(view.data.activations, "base64");
  assert.equal(bytes.length, 8 * shown.length);
  const other = await workplace(t, `${inventedText(400, 9)}Ä`);
  const elsewhere = await makeReport({ ...settings, text: [other.text], unknown: "skip" });
  assert.equal(elsewhere.view?.isHeldOut, false);
  assert.deepEqual(elsewhere.view?.start, { position: 0, at: "text" });
  assert.equal(elsewhere.view?.data.bits[0], null);
  assert.match(elsewhere.warnings.join(), /1 character.*"Ä"/);
  await assert.rejects(
    makeReport({ ...settings, text: [other.text] }),
    failsWith("UNKNOWN_CHARACTER", "Ä"),
  );
});

test("A report shows characters that can't be seen by a dot, and by their names", async (t) => {
  const { settings, place, file } = await trainedRun(t, inventedText(700).replaceAll("\n", "\r\n"));
  await writeReport({ ...settings, text: [place.text] }, file);
  const page = await readFile(file, "utf8");
  assert.match(page, /<span class="(?:s\d )?unseen">·<\/span>/);
  assert.match(page, /<em>carriage return<\/em>/);
  const [shown] = page.split("<script");
  assert.doesNotMatch(shown, /\r|\u240d/);
});

test("A report knows the held-out part of a list whose last line has no end", async (t) => {
  const place = await workplace(t, inventedText(700).trimEnd());
  await trained(smallRun(place, { steps: 3, documents: "lines" }));
  const settings: ReportSettings = { runs: ["run"], out: place.out, backend: "wasm" };
  const { view } = await makeReport({ ...settings, text: [place.text] });
  assert.equal(view?.isHeldOut, true);
  assert.deepEqual(view?.start, { position: 0, at: "text" });
});

test("A report says what it does where it takes its time", async (t) => {
  const { settings, place } = await trainedRun(t);
  const works: string[] = [];
  await makeReport({ ...settings, text: [place.text] }, { onWork: (work) => works.push(work) });
  assert.deepEqual(works, ["text", "model", "units", "vocabulary"]);
});

test("A report escapes everything that the text holds", async (t) => {
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
  assert.doesNotMatch(await readFile(file, "utf8"), /id="(?:settings|vocabulary|surprisal)"/);
  await assert.rejects(
    makeReport({ ...settings, text: [place.text] }),
    failsWith("NOT_FOUND", "no checkpoint yet"),
  );
});
