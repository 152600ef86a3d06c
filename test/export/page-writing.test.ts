/// <reference lib="dom" />
/** An exported page in a real browser writes what `charnn sample` writes. */
import assert from "node:assert/strict";
import { after } from "node:test";
import { closeBrowser, withoutChromium } from "../helpers/browser.js";
import { CATS, learned } from "../helpers/mixtures.js";
import { openModelPage } from "../helpers/page-with-model.js";
import { CAT_EMOJI, PORTABLE_MODELS, portable, sampledByWasm } from "../helpers/portable.js";
import { slow } from "../helpers/slow.js";

const skip = withoutChromium;

after(closeBrowser);

for (const [title, settings] of PORTABLE_MODELS) {
  slow(
    `A page writes the same 10,000 characters as sample on the wasm backend (${title})`,
    { skip },
    async (t) => {
      const checkpoint = await learned(t, CAT_EMOJI, settings);
      const page = await openModelPage(t, checkpoint);
      const how = { length: 10_000, temperature: 1.5, topP: 0.97, minP: 0.01, randomSeed: 5 };
      await page.type("the \u{1f431}\nand");
      const text = await page.write(how);
      const expected = await sampledByWasm(checkpoint, { ...how, seed: "the \u{1f431}\nand" });
      assert.equal(text, `the \u{1f431}\nand${expected}`);
      assert.match(text.slice(10), /[\u{1f431}\u{1f9f6}]/u);
      assert.match(await page.says(/./), /^Wrote 10,000 characters, [\d,]+ a second\.$/);
    },
  );
}

slow(
  "A page that starts empty writes the text that sample writes, and continues it",
  { skip },
  async (t) => {
    const checkpoint = await learned(t, CATS);
    const page = await openModelPage(t, checkpoint);
    const first = await page.write({ length: 300, randomSeed: 7 });
    assert.equal(first, await sampledByWasm(checkpoint, { length: 300, randomSeed: 7 }));
    const second = await page.write({ length: 100, randomSeed: 8 });
    const more = await sampledByWasm(checkpoint, { length: 100, randomSeed: 8, seed: first });
    assert.equal(second, first + more);
    // A typed seed is kept until the user asks for a new one each time.
    assert.equal(await page.page.$eval("#seed", (it) => (it as HTMLInputElement).value), "8");
    await page.page.click("#new-seed");
    await page.page.click("#undo");
    await page.page.click("#undo");
    const drawn = await page.write({ length: 50 });
    const randomSeed = Number(
      await page.page.$eval("#seed", (it) => (it as HTMLInputElement).value),
    );
    assert.equal(drawn, await sampledByWasm(checkpoint, { length: 50, randomSeed }));
  },
);

slow("A page ends a text where the model ends a document, as sample does", { skip }, async (t) => {
  const names = "anna\nbob\nclaire\ndora\n".repeat(40);
  for (const documents of ["lines", "\n"]) {
    const checkpoint = await learned(t, names, { documents });
    const page = await openModelPage(t, checkpoint);
    const name = await page.write({ length: 500, randomSeed: 3 });
    assert.equal(name, await sampledByWasm(checkpoint, { length: 500, randomSeed: 3 }));
    assert.ok(name.length < 100, name);
    assert.match(await page.says(/./), /^The text has ended after \d+ characters?\.$/);
  }
});

for (const lineEnd of ["\r\n", "\r"]) {
  const name = JSON.stringify(lineEnd);
  slow(
    `A page of a model whose lines end by ${name} reads and writes them so`,
    { skip },
    async (t) => {
      const checkpoint = await learned(t, CATS.replaceAll("\n", lineEnd), { steps: 600 });
      const page = await openModelPage(t, checkpoint);
      const inModel = (text: string) => text.replaceAll("\n", lineEnd);
      const first = await page.write({ length: 300, randomSeed: 7 });
      assert.equal(inModel(first), await sampledByWasm(checkpoint, { length: 300, randomSeed: 7 }));
      assert.match(first, /mat\nand a hat\n/);
      await page.type("\nthe cat\n");
      const second = await page.write({ length: 100, randomSeed: 8 });
      const seed = inModel(`${first}\nthe cat\n`);
      const more = await sampledByWasm(checkpoint, { length: 100, randomSeed: 8, seed });
      assert.equal(inModel(second), seed + more);
      await page.page.focus("#text");
      await page.looks(/^at the end of the text$/);
      // Of the lines in sight, which are the last ones; after the last there is no line end yet.
      const shown = await page.page.$$eval("#shown .end", (ends) => ends.map((it) => it.className));
      assert.equal(shown.pop(), "end n");
      const scores = await (await portable(checkpoint)).score(inModel(second));
      const ends = scores.flatMap(({ character }, k) => {
        if (!lineEnd.startsWith(character)) return [];
        const own = scores.slice(k, k + lineEnd.length);
        const bits = own.reduce((sum, score) => sum + (score.bits ?? 0), 0);
        return [`end s${[1, 2, 4, 6].filter((from) => bits >= from).length}`];
      });
      assert.ok(shown.length > 5 && new Set(ends).size > 1, `${shown}`);
      assert.deepEqual(shown, ends.slice(-shown.length));
    },
  );
}
