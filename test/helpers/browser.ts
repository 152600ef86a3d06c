/** A browser for tests that look at a page. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import puppeteer, { type Browser, type Page } from "puppeteer-core";

type Owner = { after(release: () => unknown): void };

/** Its program; undefined where there is none. */
const CHROMIUM = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (file) => file !== undefined && existsSync(file),
);

/** For a test that needs it: why it is skipped. */
export const withoutChromium =
  CHROMIUM === undefined && "no Chromium; apt-get install chromium, or CHROMIUM names it";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

let browser: Promise<Browser> | undefined;

/** To be called after the last test of a file that has opened pages. */
export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
}

/** The page at an address, with what it says on its console and the addresses that it requests. */
export async function openPage(address: string): Promise<{
  readonly page: Page;
  readonly messages: readonly string[];
  readonly requests: readonly string[];
}> {
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

export function textOf(page: Page, selector: string): Promise<string> {
  return page.$eval(selector, (element) => element.textContent ?? "");
}

/** The address of a server with the files of a folder; its first page is empty where there is no `index.html`. */
export async function served(t: Owner, folder: string): Promise<string> {
  const server = createServer(async ({ url = "/" }, response) => {
    const name = url === "/" ? "index.html" : path.basename(url);
    const content = await readFile(path.join(folder, name)).catch(() => undefined);
    const type = TYPES[path.extname(name)];
    response.writeHead(content || url === "/" ? 200 : 404, type ? { "content-type": type } : {});
    response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
