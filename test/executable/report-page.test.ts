/// <reference lib="dom" />
/** The report's page in a real browser; with CHARNN_PICTURE=1 its picture becomes docs/report.png. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, type TestContext } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { charnn, startCharnn } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { slow } from "../helpers/slow.js";

const ROOT = new URL("../../", import.meta.url);
const SONNETS = fileURLToPath(new URL("data/shakespeare.txt", ROOT));
const PICTURE = fileURLToPath(new URL("docs/report.png", ROOT));
const CHROMIUM = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (file) => file !== undefined && existsSync(file),
);
const skip =
  CHROMIUM === undefined && "no Chromium; apt-get install chromium, or CHROMIUM names it";

async function browserFor(t: TestContext): Promise<Browser> {
  const browser = await puppeteer.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  t.after(() => browser.close());
  return browser;
}

/** A page that notes what goes wrong in it, and what it asks for. */
async function openPage(browser: Browser, address: string) {
  const page = await browser.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => requests.push(request.url()));
  await page.setViewport({ width: 1100, height: 900 });
  await page.goto(address, { waitUntil: "load" });
  return { page, complaints, requests };
}

function textOf(page: Page, selector: string): Promise<string> {
  return page.$eval(selector, (element) => element.textContent ?? "");
}

describe("The report's page in Chromium", { skip }, () => {
  slow(
    "shows a run on the sonnets, by mouse and keyboard, light and dark, wide and narrow",
    async (t) => {
      const cwd = await temporaryFolder(t);
      const train = ["train", SONNETS, "--name", "sonnets", "--preset", "small", "--steps", "400"];
      assert.equal((await charnn(t, [...train, "--eval-every", "50"], { cwd })).code, 0);
      assert.equal((await charnn(t, ["report", "--text", SONNETS], { cwd })).code, 0);
      const address = pathToFileURL(path.join(cwd, "sonnets-report.html")).href;
      const { page, complaints, requests } = await openPage(await browserFor(t), address);
      assert.deepEqual(requests, [address]);

      // All three charts are drawn.
      const drawn = await page.$$eval("canvas", (canvases) =>
        canvases.map((canvas) => {
          const context = canvas.getContext("2d") as CanvasRenderingContext2D;
          const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
          return data.some((value) => value > 0);
        }),
      );
      assert.deepEqual(drawn, [true, true, true]);
      // Something in the text, by a unit, with a figure of its own.
      assert.match(
        await textOf(page, "#neurons ~ div table"),
        /position in the line.*unit \d+: 0\.\d/,
      );

      await page.focus("#surprisal-text");
      for (let k = 0; k < 3; k++) await page.keyboard.press("ArrowRight");
      assert.match(await textOf(page, "#surprisal-status"), /; \d+\.\d\d bits; expected .* \d+ %/);
      const [unit] = await page.$$("button[data-unit]");
      await unit.focus();
      await page.keyboard.press("Enter");
      const chosen = await unit.evaluate((button) => button.getAttribute("data-unit"));
      assert.equal(await page.$eval("#unit", (field) => (field as HTMLInputElement).value), chosen);
      await page.hover("#neuron-text span:nth-child(5)");
      assert.match(
        await textOf(page, "#neuron-status"),
        new RegExp(`unit ${chosen} is -?\\d\\.\\d\\d`),
      );

      const colors = () =>
        page.evaluate(() => {
          const { color, backgroundColor } = getComputedStyle(document.body);
          return [color, backgroundColor];
        });
      assert.deepEqual(await colors(), ["rgb(28, 28, 30)", "rgb(255, 255, 255)"]);
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
      assert.deepEqual(await colors(), ["rgb(236, 236, 240)", "rgb(22, 23, 26)"]);
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
      await page.setViewport({ width: 360, height: 800 });
      // Curves follow the page's width in one of the next frames.
      const isNarrow = () => document.documentElement.scrollWidth === 360;
      await page.waitForFunction(isNarrow, { timeout: 20_000 });
      await page.emulateMediaType("print");
      const hidden = await page.$eval("nav", (nav) => getComputedStyle(nav).display);
      assert.equal(hidden, "none");
      assert.ok((await page.pdf()).length > 10_000);
      assert.deepEqual(complaints, []);

      if (process.env.CHARNN_PICTURE) {
        await page.emulateMediaType("screen");
        await page.setViewport({ width: 1000, height: 900 });
        // From the figures to the first lines by the activation of a unit.
        const height = await page.$eval(
          "#settings",
          (part) => part.getBoundingClientRect().top + scrollY,
        );
        await page.screenshot({ path: PICTURE, clip: { x: 0, y: 0, width: 1000, height } });
      }
    },
  );

  slow("has a name for every control and a heading for every part", async (t) => {
    const cwd = await temporaryFolder(t);
    const train = ["train", SONNETS, "--name", "run", "--preset", "tiny", "--steps", "10"];
    assert.equal((await charnn(t, train, { cwd })).code, 0);
    assert.equal((await charnn(t, ["report", "--text", SONNETS], { cwd })).code, 0);
    const address = pathToFileURL(path.join(cwd, "run-report.html")).href;
    const { page } = await openPage(await browserFor(t), address);
    const tree = await page.accessibility.snapshot({ interestingOnly: false });
    assert.ok(tree);
    const nodes = [tree];
    for (const node of nodes) nodes.push(...(node.children ?? []));
    const unnamed = nodes.filter(
      ({ role, name }) =>
        ["button", "link", "image", "img", "spinbutton", "region"].includes(role) && !name,
    );
    assert.deepEqual(
      unnamed.map(({ role }) => role),
      [],
    );
    const named = nodes.filter(({ role }) => role === "image" || role === "img");
    assert.equal(named.length, 3);
    for (const role of ["main", "navigation", "heading", "table"]) {
      assert.ok(
        nodes.some((node) => node.role === role),
        role,
      );
    }
  });

  slow("waits for a run, follows it, and begins again when it does", async (t) => {
    const cwd = await temporaryFolder(t);
    const child = await startCharnn(t, ["report", "run", "--watch"], { cwd });
    let address = "";
    for await (const chunk of child.stdout) {
      address += chunk;
      if (address.endsWith("\n")) break;
    }
    const { page, complaints, requests } = await openPage(await browserFor(t), address.trim());
    const { origin } = new URL(address);
    assert.ok(requests.every((url) => url.startsWith(`${origin}/`)));
    assert.match(await textOf(page, "#live"), /Waiting for the run/);
    assert.match(await textOf(page, "#samples"), /Samples/);

    const train = ["train", SONNETS, "--name", "run", "--preset", "tiny", "--steps", "10"];
    assert.equal((await charnn(t, train, { cwd })).code, 0);
    // It loads again for the parts that the model's first checkpoint brings.
    await page.waitForSelector("#settings");
    await page.waitForFunction(() =>
      document.getElementById("figures-body")?.textContent?.includes("run10"),
    );
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
        (text) => document.querySelector("#samples-body details[open] pre")?.textContent === text,
        {},
        text,
      );
    }
    assert.match(await textOf(page, "#figures-body"), /run99/);
    assert.equal(Number(await textOf(page, "#evaluations-count")), evaluations + 1);
    assert.equal((await page.$$("#samples-body details[open]")).length, 1);
    // The chart's legend shows what is under the pointer: its last point is the new one.
    const place = await (await page.$("#chart-loss .u-over"))?.boundingBox();
    assert.ok(place);
    await page.mouse.move(place.x + place.width - 1, place.y + place.height / 2);
    await page.waitForFunction(() =>
      document.querySelector("#chart-loss .u-legend")?.textContent?.includes("99"),
    );

    await writeFile(metrics, `${JSON.stringify({ event: "step", ...report, step: 3 })}\n`);
    await page.waitForFunction(() =>
      document.getElementById("figures-body")?.textContent?.includes("run3"),
    );
    assert.equal((await page.$$("#samples-body details")).length, 0);
    child.kill("SIGINT");
    await page.waitForFunction(() =>
      document.getElementById("live")?.textContent?.includes("not served at the moment"),
    );
    assert.deepEqual(
      complaints.filter((text) => !/ERR_|Failed to load resource/.test(text)),
      [],
    );
  });

  slow("keeps the part of a curve that its reader chose while the run goes on", async (t) => {
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
    const { page } = await openPage(await browserFor(t), address.trim());
    await page.waitForFunction(() =>
      document.getElementById("figures-body")?.textContent?.includes("run100"),
    );
    const place = await (await page.$("#chart-loss .u-over"))?.boundingBox();
    assert.ok(place);
    const y = place.y + place.height / 2;
    await page.mouse.move(place.x + place.width / 4, y);
    await page.mouse.down();
    await page.mouse.move(place.x + place.width / 2, y, { steps: 4 });
    await page.mouse.up();
    const stepAt = async (share: number) => {
      await page.mouse.move(place.x + place.width * share, y - 5);
      return Number(await textOf(page, "#chart-loss .u-legend .u-value"));
    };
    const [left, right] = [await stepAt(0.02), await stepAt(0.98)];
    assert.ok(left > 20 && right < 60, `${left} to ${right}`);
    await appendFile(metrics, lineOf(101) + lineOf(102));
    await page.waitForFunction(() =>
      document.getElementById("figures-body")?.textContent?.includes("run102"),
    );
    assert.deepEqual([await stepAt(0.02), await stepAt(0.98)], [left, right]);
  });
});
