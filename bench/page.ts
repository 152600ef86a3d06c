/// <reference lib="dom" />
/**
 * Measures how fast exported pages open and write in Chromium, by their own controls.
 *
 *     npm run bench:page
 */
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer, { type Browser } from "puppeteer-core";
import { median } from "#src/arrays.js";
import { exportModel } from "#src/export/export-model.js";
import { loadCheckpoint } from "#src/runs/load-checkpoint.js";
import { CHARNN, SHAKESPEARE, secondsOf } from "./commands.js";
import { machineFacts } from "./machine.js";

/** Hidden sizes, with the embedding sizes of their presets. */
const MODELS = [
  [256, 32],
  [512, 64],
  [1024, 128],
] as const;
const CHARACTERS = 5_000;
const TIMES = 5;

const chromium = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (file) => file !== undefined && existsSync(file),
);
if (chromium === undefined) {
  console.error("There is no Chromium: apt-get install chromium, or CHROMIUM names it.");
  process.exitCode = 1;
} else {
  const folder = mkdtempSync(join(tmpdir(), "charnn-bench-"));
  const browser = await puppeteer.launch({ executablePath: chromium, args: ["--no-sandbox"] });
  try {
    console.log(`${machineFacts()}, ${await browser.version()}\n`);
    console.log("| model | page, MB | opens in, s | writes, chars/s | in the slowest piece |");
    console.log("|---|---|---|---|---|");
    for (const [hidden, embedding] of MODELS) {
      const page = await pageOf(folder, hidden, embedding);
      const { seconds, speeds } = await measure(browser, page);
      const megabytes = (statSync(page).size / 1e6).toFixed(2);
      const figures = [median(speeds), Math.min(...speeds)].map((speed) =>
        Math.round(speed).toLocaleString("en"),
      );
      const cells = [`GRU 1x${hidden}`, megabytes, seconds.toFixed(2), ...figures];
      console.log(`| ${cells.join(" | ")} |`);
    }
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
}

/** Exports a model that has hardly learned: how fast it writes does not depend on that. */
async function pageOf(folder: string, hidden: number, embedding: number): Promise<string> {
  const name = `gru-${hidden}`;
  const shape = ["--hidden-size", String(hidden), "--embedding-size", String(embedding)];
  secondsOf([
    CHARNN,
    "train",
    SHAKESPEARE,
    "--out",
    folder,
    "--name",
    name,
    "--steps",
    "1",
    ...shape,
  ]);
  const page = join(folder, `${name}.html`);
  writeFileSync(
    page,
    await exportModel(await loadCheckpoint(name, { out: folder }), { to: "html" }),
  );
  return page;
}

async function measure(browser: Browser, file: string) {
  const page = await browser.newPage();
  const start = performance.now();
  await page.goto(pathToFileURL(file).href);
  await page.waitForFunction(
    () => document.querySelector<HTMLButtonElement>("#write")?.disabled === false,
  );
  const seconds = (performance.now() - start) / 1_000;
  await page.$eval(
    "#length",
    (field, length) => {
      (field as HTMLInputElement).value = length;
    },
    String(CHARACTERS),
  );
  const speeds: number[] = [];
  for (let k = 0; k < TIMES; k++) {
    await page.click("#write");
    await page.waitForFunction(
      () => document.querySelector("#status")?.textContent?.startsWith("Wrote"),
      { timeout: 300_000 },
    );
    const status = await page.$eval("#status", (it) => it.textContent ?? "");
    speeds.push(Number(/([\d,]+) a second/.exec(status)?.[1].replaceAll(",", "")));
    await page.click("#undo");
    // So that the next does not see this one's status.
    await page.$eval("#status", (it) => {
      it.textContent = "";
    });
  }
  await page.close();
  return { seconds, speeds };
}
