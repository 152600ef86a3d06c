/// <reference lib="dom" />
/** The report's page of `report --watch` in a real browser, while its run goes on. */
import assert from "node:assert/strict";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { closeBrowser, openPage, textOf, withoutChromium } from "../helpers/browser.js";
import { charnn, startCharnn } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { plotOf } from "../helpers/report-chart.js";
import { slow } from "../helpers/slow.js";

const SONNETS = fileURLToPath(new URL("../../data/shakespeare.txt", import.meta.url));
const skip = withoutChromium;

after(closeBrowser);

slow(
  "The report's page waits for a run, follows it, and begins again when it does",
  { skip },
  async (t) => {
    const cwd = await temporaryFolder(t);
    const child = await startCharnn(t, ["report", "run", "--watch"], { cwd });
    let address = "";
    for await (const chunk of child.stdout) {
      address += chunk;
      if (address.endsWith("\n")) break;
    }
    const { page, messages, requests } = await openPage(address.trim());
    const { origin } = new URL(address);
    assert.ok(requests.every((url) => url.startsWith(`${origin}/`)));
    assert.match(await textOf(page, "#live"), /Waiting for the run/);
    assert.match(await textOf(page, "#samples"), /Samples/);

    const train = ["train", SONNETS, "--name", "run", "--preset", "tiny", "--steps", "10"];
    assert.equal((await charnn(t, train, { cwd })).code, 0);
    // It loads again for the parts that the model's first checkpoint brings.
    await page.waitForSelector("#settings");
    await page.waitForFunction(() =>
      document.getElementById("live-progress")?.textContent?.includes("Step 10 of 10, in"),
    );
    assert.match(await textOf(page, "#live"), /Last report at \d\d:\d\d:\d\d/);
    assert.match(await textOf(page, "#live"), /The run is over/);
    const evaluations = Number(await textOf(page, "#evaluations-count"));
    assert.ok(evaluations > 0);

    const metrics = path.join(cwd, "checkpoints/run/metrics.jsonl");
    const report = { step: 99, epoch: 1, loss: 1, learningRate: 0, seconds: 1 };
    await appendFile(metrics, `${JSON.stringify({ event: "step", ...report })}\n`);
    await appendFile(
      metrics,
      `${JSON.stringify({ event: "eval", ...report, validationLoss: 2 })}\n`,
    );
    for (const text of ["<b>new</b>", "<i>newer</i>"]) {
      await appendFile(metrics, `${JSON.stringify({ event: "sample", step: 99, text })}\n`);
      await page.waitForFunction(
        (text) => document.querySelector("#samples-shown pre")?.textContent === text,
        {},
        text,
      );
    }
    assert.match(await textOf(page, "#live-progress"), /^Step 99/);
    assert.match(await textOf(page, "#result-body"), /2\.000 nats\/char.*best at step 99/s);
    assert.equal(Number(await textOf(page, "#evaluations-count")), evaluations + 1);
    assert.equal((await page.$$("#samples-shown article")).length, 1);
    // The chart's legend shows what is under the pointer: its last point is the new one.
    const place = await plotOf(page, "loss");
    await page.mouse.move(place.x + place.width - 1, place.y + place.height / 2);
    await page.waitForFunction(() =>
      document.querySelector("#legend-loss")?.textContent?.includes("99"),
    );

    await writeFile(metrics, `${JSON.stringify({ event: "step", ...report, step: 3 })}\n`);
    await page.waitForFunction(() =>
      document.getElementById("live-progress")?.textContent?.includes("Step 3"),
    );
    assert.equal((await page.$$("#samples-body li")).length, 0);
    child.kill("SIGINT");
    await page.waitForFunction(() =>
      document.getElementById("live-status")?.textContent?.includes("not served at the moment"),
    );
    assert.deepEqual(
      messages.filter((text) => !/ERR_|Failed to load resource/.test(text)),
      [],
    );
  },
);

slow(
  "The report's page keeps the part of a curve that its reader chose while the run goes on",
  { skip },
  async (t) => {
    const cwd = await temporaryFolder(t);
    const folder = path.join(cwd, "checkpoints/run");
    await mkdir(folder, { recursive: true });
    const lineOf = (step: number) =>
      `${JSON.stringify({ event: "step", step, epoch: 1, loss: 1 / step, learningRate: 0, seconds: 1 })}\n`;
    const metrics = path.join(folder, "metrics.jsonl");
    await writeFile(metrics, Array.from({ length: 100 }, (_, k) => lineOf(k + 1)).join(""));
    const child = await startCharnn(t, ["report", "--watch"], { cwd });
    let address = "";
    for await (const chunk of child.stdout) {
      address += chunk;
      if (address.endsWith("\n")) break;
    }
    const { page } = await openPage(address.trim());
    await page.waitForFunction(() =>
      document.getElementById("live-progress")?.textContent?.includes("Step 100"),
    );
    const place = await plotOf(page, "loss");
    const y = place.y + place.height / 2;
    await page.mouse.move(place.x + place.width / 4, y);
    await page.mouse.down();
    await page.mouse.move(place.x + place.width / 2, y, { steps: 4 });
    await page.mouse.up();
    const stepAt = async (share: number) => {
      await page.mouse.move(place.x + place.width * share, y - 5);
      return Number(/step (\d+)/.exec(await textOf(page, "#legend-loss"))?.[1]);
    };
    const [left, right] = [await stepAt(0.02), await stepAt(0.98)];
    assert.ok(left > 20 && right < 60, `${left} to ${right}`);
    await appendFile(metrics, lineOf(101) + lineOf(102));
    await page.waitForFunction(() =>
      document.getElementById("live-progress")?.textContent?.includes("Step 102"),
    );
    assert.deepEqual([await stepAt(0.02), await stepAt(0.98)], [left, right]);
  },
);
