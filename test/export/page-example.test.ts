/// <reference lib="dom" />
/** The page of examples/page, which writes with an exported module. */
import assert from "node:assert/strict";
import { copyFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { encodeJs } from "#src/export/js/encode-js.js";
import { closeBrowser, openPage, served, withoutChromium } from "../helpers/browser.js";
import { temporaryFolder } from "../helpers/folder.js";
import { CATS, learned } from "../helpers/mixtures.js";
import { slow } from "../helpers/slow.js";

const EXAMPLE = fileURLToPath(new URL("../../examples/page/index.html", import.meta.url));

after(closeBrowser);

slow(
  "The example page writes with an exported module in a browser",
  { skip: withoutChromium },
  async (t) => {
    const folder = await temporaryFolder(t);
    await copyFile(EXAMPLE, path.join(folder, "index.html"));
    await writeFile(path.join(folder, "model.js"), await encodeJs(await learned(t, CATS), 16));
    const { page, messages } = await openPage(await served(t, folder));
    await page.type("#prompt", "the cat");
    await page.keyboard.press("Enter");
    const isWritten = () => (document.querySelector("output")?.value.length ?? 0) >= 507;
    await page.waitForFunction(isWritten, { timeout: 60_000 });
    const text = await page.$eval("output", (output) => output.value);
    assert.match(text, /^the cat[a-z\n ]{500}$/);
    // Only the browser's own request for an icon fails.
    assert.deepEqual(
      messages.filter((it) => !it.includes("404")),
      [],
    );
  },
);
