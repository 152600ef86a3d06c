/// <reference lib="dom" />
/** The page of examples/page, which writes with an exported module. */
import assert from "node:assert/strict";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer-core";
import { encodeJs } from "#src/export/js/encode-js.js";
import { CHROMIUM, withoutChromium } from "../helpers/chromium.js";
import { temporaryFolder } from "../helpers/folder.js";
import { CATS, learned } from "../helpers/mixtures.js";
import { slow } from "../helpers/slow.js";

const EXAMPLE = fileURLToPath(new URL("../../examples/page/index.html", import.meta.url));
const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript" };

slow(
  "The example page writes with an exported module in a browser",
  {
    skip: withoutChromium,
  },
  async (t) => {
    const folder = await temporaryFolder(t);
    await copyFile(EXAMPLE, path.join(folder, "index.html"));
    await writeFile(path.join(folder, "model.js"), await encodeJs(await learned(t, CATS), 16));
    const server = createServer(async ({ url }, response) => {
      const name = url === "/" ? "index.html" : path.basename(String(url));
      const content = await readFile(path.join(folder, name)).catch(() => undefined);
      response.writeHead(content ? 200 : 404, { "content-type": TYPES[path.extname(name)] ?? "" });
      response.end(content);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => server.close());
    const browser = await puppeteer.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
    t.after(() => browser.close());
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.type("#prompt", "the cat");
    await page.keyboard.press("Enter");
    const isWritten = () => (document.querySelector("output")?.value.length ?? 0) >= 507;
    await page.waitForFunction(isWritten, { timeout: 60_000 });
    const text = await page.$eval("output", (output) => output.value);
    assert.match(text, /^the cat[a-z\n ]{500}$/);
    assert.deepEqual(errors, []);
  },
);
