/// <reference lib="dom" />
/** The report's page in a real browser. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { after } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { charnn, startCharnn } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { slow } from "../helpers/slow.js";

const SONNETS = fileURLToPath(new URL("../../data/shakespeare.txt", import.meta.url));
const CHROMIUM = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (file) => file !== undefined && existsSync(file),
);
const skip =
  CHROMIUM === undefined && "no Chromium; apt-get install chromium, or CHROMIUM names it";

// The browser and the report on the sonnets are made by the first test that needs them, for all.
let browser: Promise<Browser> | undefined;
let sonnetsReport: Promise<string> | undefined;
const clearings: (() => unknown)[] = [];
after(async () => {
  for (const clear of clearings) await clear();
  await (await browser)?.close();
});

async function reportOnSonnets(): Promise<string> {
  const t = { after: (clear: () => unknown) => void clearings.push(clear) };
  const cwd = await temporaryFolder(t);
  const train = ["train", SONNETS, "--name", "sonnets", "--preset", "small", "--steps", "400"];
  const trained = await charnn(t, [...train, "--eval-every", "50"], { cwd, timeout: 300_000 });
  assert.equal(trained.code, 0, trained.stderr);
  assert.equal((await charnn(t, ["report", "--text", SONNETS], { cwd })).code, 0);
  return pathToFileURL(path.join(cwd, "sonnets-report.html")).href;
}

/** The page at an address, with the messages on its console and the addresses that it requested. */
async function openPage(address: string) {
  browser ??= puppeteer.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  const page = await (await browser).newPage();
  const messages: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => messages.push(message.text()));
  page.on("pageerror", (error) => messages.push(String(error)));
  page.on("request", (request) => requests.push(request.url()));
  await page.setViewport({ width: 1100, height: 900 });
  await page.goto(address, { waitUntil: "load" });
  return { page, messages, requests };
}

/** Tests something on a page of its own with the report on the sonnets, which must log nothing. */
function onSonnets(
  title: string,
  check: (page: Page, requests: readonly string[]) => Promise<void>,
): void {
  slow(title, { skip }, async () => {
    sonnetsReport ??= reportOnSonnets();
    const { page, messages, requests } = await openPage(await sonnetsReport);
    await check(page, requests);
    assert.deepEqual(messages, []);
    await page.close();
  });
}

function textOf(page: Page, selector: string): Promise<string> {
  return page.$eval(selector, (element) => element.textContent ?? "");
}

onSonnets("The report's page requests nothing but itself", async (_, requests) => {
  assert.deepEqual(requests, [await sonnetsReport]);
});

onSonnets("The report's page draws all three charts", async (page) => {
  const drawn = await page.$$eval("canvas", (canvases) =>
    canvases.map((canvas) => {
      const context = canvas.getContext("2d") as CanvasRenderingContext2D;
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value) => value > 0);
    }),
  );
  assert.deepEqual(drawn, [true, true, true]);
});

onSonnets(
  "The report's page says which unit tracks the position in the line, and how well",
  async (page) => {
    const table = await textOf(page, "#neurons ~ div table");
    assert.match(table, /position in the line.*unit \d+: 0\.\d/);
  },
);

onSonnets(
  "The report's page shows the surprisal of the characters that arrow keys go to",
  async (page) => {
    await page.focus("#surprisal-text");
    for (let k = 0; k < 3; k++) await page.keyboard.press("ArrowRight");
    const status = await textOf(page, "#surprisal-status");
    assert.match(status, /; \d+\.\d\d bits; expected .* \d+ %/);
  },
);

onSonnets(
  "The report's page shows the activation of the unit that was chosen, under the mouse",
  async (page) => {
    const [unit] = await page.$$("button[data-unit]");
    await unit.focus();
    await page.keyboard.press("Enter");
    const chosen = await unit.evaluate((button) => button.getAttribute("data-unit"));
    assert.equal(await page.$eval("#unit", (field) => (field as HTMLInputElement).value), chosen);
    await page.hover("#neuron-text span:nth-child(5)");
    const status = await textOf(page, "#neuron-status");
    assert.match(status, new RegExp(`unit ${chosen} is -?\\d\\.\\d\\d`));
  },
);

onSonnets(
  "The report's page is dark where the reader prefers dark, and light otherwise",
  async (page) => {
    const colors = () =>
      page.evaluate(() => {
        const { color, backgroundColor } = getComputedStyle(document.body);
        return [color, backgroundColor];
      });
    assert.deepEqual(await colors(), ["rgb(28, 28, 30)", "rgb(255, 255, 255)"]);
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
    assert.deepEqual(await colors(), ["rgb(236, 236, 240)", "rgb(22, 23, 26)"]);
  },
);

onSonnets(
  "The report's page fits a window of 360 pixels without scrolling sideways",
  async (page) => {
    await page.setViewport({ width: 360, height: 800 });
    // Curves follow the page's width in one of the next frames.
    const isNarrow = () => document.documentElement.scrollWidth === 360;
    await page.waitForFunction(isNarrow, { timeout: 20_000 });
  },
);

onSonnets("The report's page is printed without its navigation, to a PDF too", async (page) => {
  await page.emulateMediaType("print");
  assert.equal(await page.$eval("nav", (nav) => getComputedStyle(nav).display), "none");
  assert.ok((await page.pdf()).length > 10_000);
});

onSonnets(
  "The report's page has a name for every control and a heading for every part",
  async (page) => {
    const tree = await page.accessibility.snapshot({ interestingOnly: false });
    assert.ok(tree);
    const nodes = [tree];
    for (const node of nodes) nodes.push(...(node.children ?? []));
    const controls = ["button", "link", "image", "img", "spinbutton", "region"];
    const unnamed = nodes.filter(({ role, name }) => controls.includes(role) && !name);
    assert.deepEqual(
      unnamed.map(({ role }) => role),
      [],
    );
    const images = nodes.filter(({ role }) => role === "image" || role === "img");
    assert.equal(images.length, 3);
    for (const role of ["main", "navigation", "heading", "table"]) {
      assert.ok(
        nodes.some((node) => node.role === role),
        role,
      );
    }
  },
);

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
  },
);
