/// <reference lib="dom" />
/** The report's page in a real browser. */

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { after } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Page } from "puppeteer-core";
import { closeBrowser, openPage, textOf, withoutChromium } from "../helpers/browser.js";
import { charnn } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { plotOf } from "../helpers/report-chart.js";
import { slow } from "../helpers/slow.js";

const SONNETS = fileURLToPath(new URL("../../data/shakespeare.txt", import.meta.url));
const skip = withoutChromium;

// The report on the sonnets is made by the first test that needs it, for all.
let sonnetsReport: Promise<string> | undefined;
const clearings: (() => unknown)[] = [];
after(async () => {
  for (const clear of clearings) await clear();
  await closeBrowser();
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

onSonnets("The report's page requests nothing but itself", async (_, requests) => {
  assert.deepEqual(requests, [await sonnetsReport]);
});

onSonnets("The report's page draws all four charts", async (page) => {
  const drawn = await page.$$eval("canvas", (canvases) =>
    canvases.map((canvas) => {
      const context = canvas.getContext("2d") as CanvasRenderingContext2D;
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value) => value > 0);
    }),
  );
  assert.deepEqual(drawn, [true, true, true, true]);
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
    const pressed = () =>
      page.$$eval('button[data-unit][aria-pressed="true"]', (buttons) => [
        ...new Set(buttons.map((button) => button.dataset.unit)),
      ]);
    const unitShown = () => page.$eval("#unit", (field) => (field as HTMLInputElement).value);
    // The unit that tracks something best is shown first.
    assert.deepEqual(await pressed(), [await unitShown()]);
    const unit = await page.waitForSelector('button[data-unit][aria-pressed="false"]');
    assert.ok(unit);
    await unit.focus();
    await page.keyboard.press("Enter");
    const chosen = await unit.evaluate((button) => button.getAttribute("data-unit"));
    assert.equal(await unitShown(), chosen);
    assert.deepEqual(await pressed(), [chosen]);
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
    const controls = ["button", "link", "image", "img", "spinbutton", "slider", "radio", "region"];
    const unnamed = nodes.filter(({ role, name }) => controls.includes(role) && !name);
    assert.deepEqual(
      unnamed.map(({ role }) => role),
      [],
    );
    const images = nodes.filter(({ role }) => role === "image" || role === "img");
    assert.equal(images.length, 4);
    for (const role of ["main", "navigation", "heading", "table"]) {
      assert.ok(
        nodes.some((node) => node.role === role),
        role,
      );
    }
  },
);

onSonnets(
  "The report's page shows what was expected as bars, with what came among them",
  async (page) => {
    await page.hover("#surprisal-text span:nth-child(12)");
    const rows = await page.$$eval("#expected .row", (all) => all.map((row) => row.textContent));
    assert.equal(rows.length, 6);
    assert.ok(
      rows.slice(0, 5).every((row) => /\d+ %$/.test(row ?? "")),
      `${rows}`,
    );
    const came = await textOf(page, "#expected .came .name");
    const character = await textOf(page, "#surprisal-text span:nth-child(12)");
    assert.equal(came, character === " " ? "space" : character);
  },
);

onSonnets("The report's page goes to the most surprising line", async (page) => {
  await page.click("#surprisal-jump");
  const status = await textOf(page, "#surprisal-status");
  const said = Number(/The most surprising line: (\d\.\d\d) bits\/char/.exec(status)?.[1]);
  const found = await page.$$eval("#surprisal-text .found", (spans) =>
    spans.map((span) => span.textContent).join(""),
  );
  assert.ok(found.length >= 10 && !found.includes("\n"), found);
  const data = JSON.parse(await textOf(page, "#data")).text;
  let position = 0;
  const means = data.characters
    .join("")
    .split("\n")
    .map((line: string) => {
      const bits: number[] = data.bits.slice(position, position + line.length);
      position += line.length + 1;
      return line.length < 10 ? 0 : bits.reduce((sum, own) => sum + own, 0) / line.length;
    });
  assert.ok(Math.abs(Math.max(...means) - said) < 0.01, `${said}`);
});

onSonnets(
  "The report's page shows the sample of the best step, and others where the reader points or goes",
  async (page) => {
    const cardOf = () => textOf(page, "#samples-shown article");
    const best = await cardOf();
    assert.match(best, /^sonnets, step \d+, the best/);
    const place = await plotOf(page, "loss");
    await page.mouse.move(place.x + place.width * 0.4, place.y + place.height / 2);
    await page.waitForFunction(
      (before) => {
        return document.querySelector("#samples-shown article")?.textContent !== before;
      },
      {},
      best,
    );
    const pointed = Number(/step (\d+)/.exec(await cardOf())?.[1]);
    assert.ok(pointed > 50 && pointed <= 160, `${pointed}`);
    // Where the pointer leaves, the best is back.
    await page.mouse.move(1, 1);
    await page.waitForFunction(
      (before) => {
        return document.querySelector("#samples-shown article")?.textContent === before;
      },
      {},
      best,
    );
    await page.focus("#sample-step");
    await page.keyboard.press("Home");
    // The first evaluation.
    assert.match(await cardOf(), /step 50/);
    assert.equal(
      await page.$eval("#sample-step", (slider) => slider.getAttribute("aria-valuetext")),
      "step 50",
    );
    await page.click("#sample-best");
    assert.equal(await cardOf(), best);
  },
);

onSonnets(
  "The report's page shows the last validation loss between two evaluations, and never moves what is below",
  async (page) => {
    const legend = () => textOf(page, "#legend-loss");
    const top = () => page.$eval("#samples", (it) => it.getBoundingClientRect().top + scrollY);
    const before = await top();
    assert.match(await legend(), /last values.*held out \d\.\d{3}, training \d\.\d{3} nats\/char/);
    const place = await plotOf(page, "loss");
    const y = place.y + place.height / 2;
    for (let share = 0.3; share < 0.9; share += 0.053) {
      await page.mouse.move(place.x + place.width * share, y);
      await page.waitForFunction(() =>
        document.querySelector("#legend-loss")?.textContent?.includes("step"),
      );
      assert.match(await legend(), /^step \d+sonnets held out \d\.\d{3}, training \d\.\d{3} nats/);
      assert.equal(await top(), before);
    }
    assert.match(await textOf(page, "#legend-speed"), /[\d,]+ chars\/s/);
  },
);

onSonnets(
  "The report's page zooms into all charts by dragging across one, and back by a button",
  async (page) => {
    const isZoomed = () => page.$eval("#show-all", (it) => !(it as HTMLButtonElement).disabled);
    assert.equal(await isZoomed(), false);
    const place = await plotOf(page, "rate");
    const y = place.y + place.height / 2;
    await page.mouse.move(place.x + place.width / 4, y);
    await page.mouse.down();
    await page.mouse.move(place.x + place.width / 2, y, { steps: 4 });
    await page.mouse.up();
    assert.equal(await isZoomed(), true);
    const stepIn = async (chart: string, share: number) => {
      const box = await plotOf(page, chart);
      await page.mouse.move(box.x + box.width * share, box.y + box.height / 2);
      return Number(/step (\d+)/.exec(await textOf(page, `#legend-${chart}`))?.[1]);
    };
    for (const chart of ["loss", "rate", "speed", "norm"]) {
      const [left, right] = [await stepIn(chart, 0.02), await stepIn(chart, 0.98)];
      assert.ok(left > 90 && right < 210, `${chart}: ${left} to ${right}`);
    }
    await page.click("#show-all");
    assert.equal(await isZoomed(), false);
    assert.ok((await stepIn("norm", 0.98)) > 380);
  },
);

onSonnets(
  "The report's page shows its charts by epochs, minutes or characters too",
  async (page) => {
    const place = await plotOf(page, "loss");
    for (const [axis, said] of [
      ["epoch", /^epoch \d\.\d\d/],
      ["minutes", /^(?:\d+ min )?\d+ s/],
      ["characters", /^[\d,]+ characters/],
      ["step", /^step \d+/],
    ] as const) {
      await page.click(`#axis input[value="${axis}"]`);
      await page.mouse.move(place.x + place.width * 0.7, place.y + place.height / 2);
      assert.match(await textOf(page, "#legend-loss"), said);
      assert.match(await textOf(page, "#legend-norm"), said);
      await page.mouse.move(1, 1);
    }
  },
);

onSonnets(
  "The report's page is passed over to its result by the first press of Tab",
  async (page) => {
    await page.keyboard.press("Tab");
    assert.equal(
      await page.evaluate(() => document.activeElement?.textContent),
      "Skip to the result",
    );
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "content");
  },
);

onSonnets("The report's page says where a box goes on, and only there", async (page) => {
  const hints = () =>
    page.$$eval(".hint", (all) =>
      all.filter((hint) => hint.checkVisibility()).map((hint) => hint.textContent?.slice(0, 9)),
    );
  assert.deepEqual(await hints(), ["The text ", "The text "]);
  await page.setViewport({ width: 300, height: 800 });
  await page.click("#training ~ details summary");
  await page.waitForFunction(
    () => document.querySelector<HTMLElement>("#training ~ details .hint")?.hidden === false,
    { timeout: 20_000 },
  );
  assert.ok((await hints()).length > 2);
});

slow(
  "The report's page gives each run one color in all charts, and compares several in a table",
  { skip },
  async (t) => {
    const cwd = await temporaryFolder(t);
    for (const name of ["one", "two"]) {
      const folder = path.join(cwd, "checkpoints", name);
      await mkdir(folder, { recursive: true });
      const lines = Array.from({ length: 40 }, (_, k) => {
        const report = { step: k + 1, epoch: 1, loss: 2, learningRate: 0.1, seconds: k };
        const more = { validationLoss: name === "one" ? 1.5 : 1.25 };
        return JSON.stringify({
          event: k === 39 ? "eval" : "step",
          ...report,
          ...more,
          gradientNorm: 1,
        });
      });
      await writeFile(
        path.join(folder, "metrics.jsonl"),
        lines.map((line) => `${line}\n`).join(""),
      );
    }
    const args = ["report", "one", "two", "-o", "both.html"];
    assert.equal((await charnn(t, args, { cwd })).code, 0);
    const { page, messages } = await openPage(pathToFileURL(path.join(cwd, "both.html")).href);
    const colorsIn = (selector: string) =>
      page.$$eval(`${selector} .swatch`, (all) =>
        all.map((it) => getComputedStyle(it).backgroundColor),
      );
    const colors = await colorsIn("#result-body");
    assert.equal(new Set(colors).size, 2);
    for (const chart of ["loss", "rate", "norm"]) {
      assert.deepEqual(await colorsIn(`#legend-${chart}`), colors, chart);
      // The lines themselves, too: one has another color than axes and grid.
      const drawn = await page.$eval(`#chart-${chart} canvas`, (canvas) => {
        const { width, height } = canvas as HTMLCanvasElement;
        const context = (canvas as HTMLCanvasElement).getContext("2d");
        const { data } = context?.getImageData(0, 0, width, height) ?? { data: [] };
        const found = new Set<string>();
        for (let k = 0; k < data.length; k += 4)
          found.add(`rgb(${data[k]}, ${data[k + 1]}, ${data[k + 2]})`);
        return [...found];
      });
      // What is drawn last is on top.
      assert.ok(drawn.includes(colors[1]), `${chart}: ${colors[1]}`);
    }
    const table = await textOf(page, "#result-body table");
    assert.match(table, /one1\.500.*two1\.250 \(lowest\)/);
    assert.deepEqual(messages, []);
    await page.close();
  },
);
