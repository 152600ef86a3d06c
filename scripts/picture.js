/**
 * Makes docs/report.png: trains on the sonnets for half a minute, writes the report, and takes a picture of its page
 * in Chromium, which CHROMIUM names where it is not in the usual place.
 *
 *     npm run picture
 */
import { execFileSync } from "node:child_process";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const WIDTH = 1000;

const root = fileURLToPath(new URL("..", import.meta.url));
const text = "shakespeare.txt";
const folder = await mkdtemp(join(tmpdir(), "charnn-picture-"));
const charnn = (...args) =>
  execFileSync(process.execPath, [join(root, "bin", "charnn.js"), ...args], {
    cwd: folder,
    stdio: "inherit",
  });

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const browser = await puppeteer.launch({ executablePath, args: ["--no-sandbox"] });
try {
  await copyFile(join(root, "data", text), join(folder, text));
  const length = ["--preset", "small", "--steps", "400", "--eval-every", "50"];
  charnn("train", text, "--name", "sonnets", ...length);
  charnn("report", "--text", text);
  const page = await browser.newPage();
  await page.setViewport({ width: WIDTH, height: 900 });
  await page.goto(pathToFileURL(join(folder, "sonnets-report.html")).href, { waitUntil: "load" });
  // Somebody has moved the mouse over a character.
  await page.hover("#surprisal-text span:nth-child(5)");
  // From the result to the lines by the activation of a unit.
  const height = await page.$eval(
    "#settings",
    (part) => part.getBoundingClientRect().top + scrollY,
  );
  const clip = { x: 0, y: 0, width: WIDTH, height };
  await page.screenshot({ path: join(root, "docs", "report.png"), clip });
} finally {
  await browser.close();
  await rm(folder, { recursive: true, force: true });
}
