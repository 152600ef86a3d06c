/// <reference lib="dom" />
/** An exported page in a real browser shows how surprising characters are, and what was expected. */
import assert from "node:assert/strict";
import { after } from "node:test";
import { closeBrowser, withoutChromium } from "../helpers/browser.js";
import { learned } from "../helpers/mixtures.js";
import { openModelPage } from "../helpers/page-with-model.js";
import { CAT_EMOJI, portable } from "../helpers/portable.js";
import { slow } from "../helpers/slow.js";

const skip = withoutChromium;

after(closeBrowser);

slow(
  "A page colours each character by its surprisal, also beyond the BMP and at line ends",
  { skip },
  async (t) => {
    const checkpoint = await learned(t, CAT_EMOJI);
    const page = await openModelPage(t, checkpoint);
    const typed = "the \u{1f431} sat on\n\u{1f9f6}é a mat";
    await page.type(typed);
    await page.looks(/^at the end of the text$/);
    const shown = await page.page.$$eval("#shown > div", (lines) =>
      lines.map((line) =>
        Array.from(line.querySelectorAll("span > span"), (it) => [it.textContent, it.className]),
      ),
    );
    const scores = await (await portable(checkpoint)).score(typed, { unknown: "skip" });
    const expected = scores.map(({ character, bits }) => {
      const level =
        bits === undefined ? "n" : `s${[1, 2, 4, 6].filter((from) => bits >= from).length}`;
      return [character, level];
    });
    const flat = shown.flatMap((line, k) => {
      const [end, className] = line.pop() ?? [];
      assert.equal(end, "\u200b");
      return k < shown.length - 1 ? [...line, ["\n", className?.replace("end ", "")]] : line;
    });
    assert.deepEqual(
      flat.filter(([, level]) => level !== "u"),
      expected,
    );
    assert.deepEqual(
      flat.filter(([, level]) => level === "u"),
      [["é", "u"]],
    );
  },
);

slow(
  "A page shows what was expected under the pointer, and what that depends on",
  { skip },
  async (t) => {
    const checkpoint = await learned(t, CAT_EMOJI);
    const page = await openModelPage(t, checkpoint);
    await page.type("the \u{1f431} sat on a mat");
    await page.looks(/^at the end of the text$/);
    // The second "a" of "sat".
    await page.page.hover("#shown > div > span > span:nth-child(8)");
    await page.looks(/^"a" came: \d\.\d\d bits$/);
    const came = await page.page.$eval("#expected .came", (it) => it.getAttribute("aria-label"));
    assert.match(came ?? "", /^"a", .*%, came$/);
    await page.page.waitForFunction(() => document.querySelectorAll("#depends li").length > 0);
    const { depends } = await (await portable(checkpoint)).predict("the \u{1f431} s", {
      top: 1,
      depends: 32,
    });
    const items = await page.page.$$eval("#depends li", (all) => all.map((it) => it.textContent));
    const [{ character, distance, bits }] = depends;
    const where = distance === 1 ? "the last one" : `${distance} back`;
    const name = character === " " ? "space" : `"${character}"`;
    assert.equal(items[0], `${name} ${where}: ${bits.toFixed(2)} bits`);
    const marked = await page.page.$$eval("#shown span > span", (all) =>
      all.flatMap((it, k) => (it.style.boxShadow ? [k] : [])),
    );
    assert.ok(marked.includes(7 - distance), `${marked}`);
    assert.ok(marked.every((k) => k < 7));
  },
);
