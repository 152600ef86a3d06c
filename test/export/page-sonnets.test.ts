/// <reference lib="dom" />
/** From the sonnets to a page that one writes with, by the commands that a user types. */
import assert from "node:assert/strict";
import path from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { closeBrowser, withoutChromium } from "../helpers/browser.js";
import { charnn, jsonLines } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { openModelFile } from "../helpers/page-with-model.js";
import { slow } from "../helpers/slow.js";

const SONNETS = fileURLToPath(new URL("../../data/shakespeare.txt", import.meta.url));
const MODEL = ["--hidden-size", "64", "--steps", "120", "--threads", "1", "--no-samples"];

after(closeBrowser);

slow(
  "The page of the sonnets takes suggestions, and goes on as sample does after the same text",
  { skip: withoutChromium },
  async (t) => {
    const cwd = await temporaryFolder(t);
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await charnn(t, args, { cwd });
      assert.equal(code, 0, stderr);
      return stdout;
    };
    await run("train", SONNETS, "--name", "sonnets", ...MODEL);
    await run("export", "sonnets", "--to", "html", "--bits", "32");
    const page = await openModelFile(t, path.join(cwd, "sonnets.html"));
    assert.match(await page.textOf("#about"), /shakespeare\.txt/);
    await page.type("Shall I compare thee to a summer's d");
    await page.looks(/^at the end of the text$/);
    await page.page.keyboard.press("Tab");
    await page.looks(/^at the end of the text$/);
    await page.page.click("#expected li:nth-child(2) button");
    const begun = await page.text();
    assert.match(begun, /^Shall I compare thee to a summer's d..$/s);
    const written = await page.write({ length: 500, temperature: 0.7, minP: 0.02, randomSeed: 3 });
    const how = ["-t", "0.7", "--min-p", "0.02", "--random-seed", "3", "--backend", "wasm"];
    const json = await run("sample", "sonnets", "--seed", begun, "-n", "500", ...how, "--json");
    const [{ text }] = jsonLines(json).filter((line) => line.text !== undefined);
    assert.equal(written, begun + text);
  },
);
