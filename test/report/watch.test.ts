import assert from "node:assert/strict";
import { appendFile, mkdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { type ReportSettings, watchRun } from "#src/index.js";
import type { Shown } from "#src/report/watch/shown.js";
import { lockRun } from "#src/runs/lock.js";
import { runFolder } from "#src/runs/run-folder.js";
import { failsWith } from "../helpers/failure.js";
import { asked, beside, openPage, serve } from "../helpers/following.js";
import { slow } from "../helpers/slow.js";
import { smallRun, trained, type Workplace, workplace } from "../helpers/training.js";

function stepLine(step: number, loss = 1 + 1 / step): string {
  const report = { event: "step", step, epoch: 1, loss, learningRate: 0.01, charsPerSecond: 5 };
  return `${JSON.stringify({ ...report, seconds: step })}\n`;
}

function evalLine(step: number): string {
  const report = { event: "eval", step, epoch: 1, loss: 1.5, validationLoss: 2, learningRate: 0.1 };
  return `${JSON.stringify({ ...report, seconds: step })}\n`;
}

function sampleLine(step: number): string {
  return `${JSON.stringify({ event: "sample", step, text: `Text of step ${step}.` })}\n`;
}

/** A run that has reported some steps and was not trained. */
async function reportedRun(t: TestContext, steps: number) {
  const place = await workplace(t);
  const metrics = metricsOf(place);
  await mkdir(path.dirname(metrics), { recursive: true });
  await writeFile(metrics, Array.from({ length: steps }, (_, k) => stepLine(k + 1)).join(""));
  return { place, metrics, settings: settingsOf(place) };
}

function metricsOf(place: Workplace): string {
  return path.join(place.out, "run", "metrics.jsonl");
}

function settingsOf({ out }: Workplace): ReportSettings {
  return { runs: ["run"], out, backend: "wasm" };
}

function lastStep({ charts }: Shown): number | undefined {
  return charts.loss.steps.at(-1);
}

test("A report that is served needs the token in its address, and answers requests from this machine only", async (t) => {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 5 }));
  const { address, stop } = await serve(t, settingsOf(place));
  assert.match(address, /^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{32}$/);
  const { port, searchParams } = new URL(address);
  const token = searchParams.get("token") ?? "";

  const page = await asked(address);
  assert.equal(page.status, 200);
  assert.match(page.text, /"live":true/);
  assert.match(page.text, /connect-src &#39;self&#39;/);
  assert.ok(!page.text.includes(token));
  const { headers } = page;
  assert.equal(headers["cache-control"], "no-store");
  assert.equal(headers["referrer-policy"], "no-referrer");
  assert.equal((await asked(address, { host: `localhost:${port}` })).status, 200);

  const root = `http://127.0.0.1:${port}/`;
  const wrong = `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`;
  for (const query of [
    "",
    "?",
    "?token",
    "?token=",
    `?token=${wrong}`,
    `?token=${token}x`,
    `?token=${wrong}&token=${token}`,
    `?TOKEN=${token}`,
    `?token=${"x".repeat(5_000)}`,
    "?%",
  ]) {
    for (const name of ["", "events", "metrics.jsonl"]) {
      const { status, text } = await asked(`${root}${name}${query}`);
      assert.equal(status, 403, `${name}${query}`);
      assert.ok(!text.includes("run") && !text.includes(place.out) && !text.includes(token));
    }
  }
  assert.equal((await asked(`${root}${token}`)).status, 403);
  for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1", "localhost:1"]) {
    assert.equal((await asked(address, { host })).status, 403, host);
  }
  for (const name of ["metrics.jsonl", "last.safetensors", "..%2frun%2fmetrics.jsonl"]) {
    assert.equal((await asked(beside(address, name))).status, 404, name);
  }
  assert.equal((await asked(address, {}, "POST")).status, 405);
  for (const one of [address, beside(address, "events")]) {
    const { status, text } = await asked(one, {}, "HEAD");
    assert.deepEqual([status, text], [200, ""]);
  }
  await stop();
  await assert.rejects(fetch(address));
  const again = await serve(t, settingsOf(place));
  assert.notEqual(new URL(again.address).searchParams.get("token"), token);
});

test("A report that is served is sent whole to a new reader, and then only its changes", async (t) => {
  const { metrics, settings } = await reportedRun(t, 1_000);
  const { address } = await serve(t, settings);
  const page = await openPage(address);
  await page.until((shown) => lastStep(shown) === 1_000);
  const { size } = page;
  assert.match(page.shown.status, /The run is over/);
  await appendFile(metrics, stepLine(1_001) + sampleLine(1_001));
  const { progress, samples } = await page.until((shown) => lastStep(shown) === 1_001);
  assert.ok(page.size < 2_000 && page.size < size / 20, `${page.size} bytes`);
  assert.match(progress, /^Step 1,001, in 16 min 41 s\. Last report at \d\d:\d\d:\d\d\.$/);
  assert.match(samples.join(), /Text of step 1001\./);
  assert.equal(page.shown.charts.loss.steps.length, 1_001);
});

test("A report that is served is small for a long run too, whose curves are thinned", async (t) => {
  const { metrics, settings } = await reportedRun(t, 30_000);
  const { address } = await serve(t, settings);
  const page = await openPage(address);
  await page.until((shown) => lastStep(shown) !== undefined);
  const before = page.shown.charts.loss.steps;
  assert.ok(before.length > 1_000 && before.length <= 1_500, `${before.length} points`);
  await appendFile(metrics, stepLine(30_001) + stepLine(30_002));
  await page.until(({ progress }) => progress.includes("Step 30,002"));
  assert.ok(page.size < 2_000, `${page.size} bytes`);
  assert.deepEqual(page.shown.charts.loss.steps.slice(0, 1_000), before.slice(0, 1_000));
});

test("A report that is served shows the same to all readers, whenever they began to read", async (t) => {
  const { metrics, settings } = await reportedRun(t, 3);
  const { address } = await serve(t, settings);
  const early = await openPage(address);
  await early.next();
  const readers = [early];
  for (let look = 0; look < 3; look++) {
    const lines = Array.from({ length: 400 }, (_, k) => {
      const step = 4 + 400 * look + k;
      return stepLine(step) + (k % 50 === 0 ? evalLine(step) + sampleLine(step) : "");
    });
    // In the middle of a line, as a reader may find it.
    const [text, cut] = [lines.join(""), 1_234 + look];
    await appendFile(metrics, text.slice(0, cut));
    readers.push(await openPage(address));
    await appendFile(metrics, text.slice(cut));
    readers.push(await openPage(address));
  }
  const last = 3 + 3 * 400;
  const pages = await Promise.all(
    readers.map((page) => page.until((shown) => lastStep(shown) === last)),
  );
  const whole = await (await openPage(address)).until(() => true);
  assert.equal(whole.charts.loss.steps.length, last);
  assert.equal(whole.evaluations.length, 24);
  assert.equal(whole.samples.length, 24);
  for (const shown of pages) assert.deepEqual(shown, whole);
});

slow("A report that is served starts again when its run does", async (t) => {
  const { metrics, settings } = await reportedRun(t, 20);
  const { address } = await serve(t, settings);
  const page = await openPage(address);
  const { edition } = await page.until((shown) => lastStep(shown) === 20);
  await rm(metrics);
  await page.until(({ status }) => status.includes("not there at the moment"));
  assert.equal(lastStep(page.shown), 20);
  await writeFile(metrics, stepLine(1, 3) + stepLine(2, 3));
  const again = await page.until((shown) => lastStep(shown) === 2);
  assert.deepEqual(again.charts.loss.steps, [1, 2]);
  // Such a page has parts that were of the run before.
  assert.ok(again.edition > edition);
  // In one move, and with more than there was.
  await writeFile(`${metrics}.new`, Array.from({ length: 30 }, (_, k) => stepLine(k + 1)).join(""));
  await rename(`${metrics}.new`, metrics);
  const third = await page.until((shown) => lastStep(shown) === 30);
  assert.ok(third.edition > again.edition);
});

test("A report that is served waits for a run that has not reported, or is not there", async (t) => {
  const place = await workplace(t);
  const settings = settingsOf(place);
  const { address, waitsFor } = await serve(t, settings);
  assert.deepEqual(waitsFor.length, 1);
  assert.match(waitsFor[0], /There is no run "run"\. Waiting for it\./);
  assert.match((await asked(address)).text, /charnn: run<.*Waiting for the run to report/s);
  const page = await openPage(address);
  await page.next();
  assert.match(page.shown.status, /Waiting/);
  await trained(smallRun(place, { steps: 5, evalEvery: 5 }));
  const { edition } = await page.until((shown) => lastStep(shown) === 5 && shown.edition > 0);
  const whole = await asked(address);
  assert.ok(whole.text.includes(`"edition":${edition}`));
  assert.match(whole.text, /hidden size/);
  assert.match(whole.text, /charnn train .*text\.txt/);

  await mkdir(path.join(place.out, "empty"));
  const empty = await serve(t, { ...settings, runs: ["empty"] });
  assert.match(
    empty.waitsFor[0],
    /"empty" has reported nothing.* Waiting.* The runs in .* are: run\./,
  );
  await writeFile(path.join(place.out, "empty", "metrics.jsonl"), "");
  const blank = await serve(t, { ...settings, runs: ["empty"] });
  assert.match(blank.waitsFor[0], /empty has reported nothing yet\. Waiting/);
  const unnamed = await serve(t, { out: path.join(place.out, "none") });
  assert.match(unnamed.waitsFor[0], /There is no run in .*none yet\. Waiting for it\./);
});

test("A report that is served without a name is that of the newest run, also when that has not reported yet", async (t) => {
  const { place, settings } = await reportedRun(t, 3);
  const other = runFolder(place.out, "other");
  await mkdir(other.path, { recursive: true });
  const lock = await lockRun(other);
  t.after(lock.release);
  const newest = { ...settings, runs: [] };
  const { waitsFor, stop } = await serve(t, newest);
  assert.match(waitsFor[0], /^The run other has reported nothing yet\./);
  await stop();
  await lock.release();

  // Nobody trains the first, and another begins while it is shown.
  const { address, waitsFor: none } = await serve(t, newest);
  assert.deepEqual(none, []);
  const page = await openPage(address);
  assert.equal(lastStep(await page.until((shown) => lastStep(shown) === 3)), 3);
  const { edition } = page.shown;
  const again = await lockRun(other);
  t.after(again.release);
  await appendFile(other.metrics, stepLine(1) + stepLine(2));
  const shown = await page.until((shown) => lastStep(shown) === 2);
  assert.ok(shown.edition > edition);
  await again.release();
});

slow(
  "A report that is served keeps serving when its run can't be read for a while, and says so once",
  async (t) => {
    const { metrics, settings } = await reportedRun(t, 4);
    const { address, warnings } = await serve(t, settings);
    const page = await openPage(address);
    await page.until((shown) => lastStep(shown) === 4);
    await rename(metrics, `${metrics}.away`);
    await mkdir(metrics);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0], /metrics\.jsonl can't be read: .*Looking again every second\./);
    assert.equal((await asked(address)).status, 200);
    await rmdir(metrics);
    await appendFile(`${metrics}.away`, stepLine(5));
    await rename(`${metrics}.away`, metrics);
    await page.until((shown) => lastStep(shown) === 5);
    assert.equal(page.shown.edition, 0);
  },
);

test("A report that is served has a limit of readers, and answers those beyond it", async (t) => {
  const { settings, metrics } = await reportedRun(t, 100);
  const { address, stop } = await serve(t, settings);
  const events = beside(address, "events");
  const answers = await Promise.all(Array.from({ length: 100 }, () => fetch(events)));
  const refused = answers.filter(({ status }) => status === 503);
  assert.equal(refused.length, 100 - 32);
  assert.equal(answers.filter(({ status }) => status === 200).length, 32);
  assert.match(await refused[0].text(), /Too many read this/);
  // Another can read when one has gone.
  const reading = answers.find(({ status }) => status === 200);
  await reading?.body?.cancel();
  for (;;) {
    const answer = await fetch(events);
    if (answer.status === 200) break;
    await answer.body?.cancel();
  }
  // Pages are for all who ask in turn.
  const pages = await Promise.all(Array.from({ length: 300 }, () => asked(address)));
  assert.ok(pages.some(({ status }) => status === 200));
  assert.deepEqual(
    pages.filter(({ status }) => status !== 200 && status !== 503),
    [],
  );
  assert.equal((await asked(address)).status, 200);
  await appendFile(metrics, stepLine(101));
  await stop();
});

slow(
  "A report that is served drops connections that send no request, and takes one request from each",
  async (t) => {
    const { settings } = await reportedRun(t, 2);
    const { address } = await serve(t, settings);
    const { port, pathname, search } = new URL(address);
    const opened = await Promise.all(
      Array.from({ length: 50 }, () => {
        return new Promise<Socket>((resolve, reject) => {
          const socket = connect(Number(port), "127.0.0.1", () => resolve(socket));
          socket.once("error", reject);
          t.after(() => socket.destroy());
        });
      }),
    );
    const closed = opened.map((socket) => {
      socket.on("error", () => {});
      socket.resume();
      return new Promise<void>((resolve) => socket.once("close", () => resolve()));
    });
    for (const socket of opened.slice(25)) socket.write("GET / HTTP/1.1\r\nHost: 127");
    const request = `GET ${pathname}${search} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
    const twice = connect(Number(port), "127.0.0.1");
    twice.on("error", () => {});
    twice.write(request + request);
    let text = "";
    for await (const chunk of twice) text += chunk;
    assert.ok(text.split("HTTP/1.1 200").length <= 2);
    await Promise.all(closed);
  },
);

test("A report that is served needs a run and a text that can be read, and a port that is free", async (t) => {
  const { settings, metrics } = await reportedRun(t, 3);
  const signal = AbortSignal.timeout(20_000);
  const options = { port: 0, signal, onAddress() {} };
  await assert.rejects(
    watchRun({ ...settings, text: ["none.txt"] }, options),
    failsWith("NOT_FOUND", "none.txt"),
  );
  for (const port of [65_536, -1, 1.5]) {
    await assert.rejects(
      watchRun(settings, { ...options, port }),
      failsWith("INVALID_SETTING", "port must be a whole number from 0 to 65,535"),
    );
  }
  const { address } = await serve(t, settings);
  await assert.rejects(
    watchRun(settings, { ...options, port: Number(new URL(address).port) }),
    failsWith("INVALID_SETTING", "port", "is taken"),
  );
  const whole = await readFile(metrics, "utf8");
  await writeFile(metrics, `{}\n${whole}`);
  await assert.rejects(watchRun(settings, options), failsWith("NOT_FOUND", "from its first line"));
  await rm(metrics);
  await mkdir(metrics);
  await assert.rejects(watchRun(settings, options), failsWith("NOT_READABLE", "metrics.jsonl"));
});

test("A report that is served shows the text again and again, also one that can be read once", async (t) => {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 5 }));
  const text = await readFile(place.text);
  const controller = new AbortController();
  async function* stdin() {
    yield text;
  }
  let served: Promise<void> | undefined;
  const address = await new Promise<string>((resolve, reject) => {
    served = watchRun(
      { ...settingsOf(place), text: ["-"] },
      { port: 0, signal: controller.signal, onAddress: resolve, stdin: stdin() },
    );
    served.catch(reject);
  });
  for (let k = 0; k < 2; k++) {
    assert.match((await asked(address)).text, /id="surprisal-text"/);
    await appendFile(metricsOf(place), stepLine(10 + k));
  }
  controller.abort();
  await served;
});
