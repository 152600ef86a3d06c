/// <reference lib="dom" />
/** Texts as long as a book in an exported page: it shows them in colours, and still does at once what one asks for. */
import assert from "node:assert/strict";
import { after } from "node:test";
import { closeBrowser, withoutChromium } from "../helpers/browser.js";
import { CATS, learned } from "../helpers/mixtures.js";
import { type ModelPage, openModelPage } from "../helpers/page-with-model.js";
import { slow } from "../helpers/slow.js";

const skip = withoutChromium;
const WORDS = "the cat sat on a mat and the dog had a hat, ";

after(closeBrowser);

/** The text behind the letters of the text box. */
function shown({ page }: ModelPage): Promise<string> {
  return page.evaluate(() =>
    Array.from(document.querySelectorAll("#shown > div"), ({ textContent }) =>
      (textContent ?? "").replace("\u200b", ""),
    ).join("\n"),
  );
}

async function paste({ page }: ModelPage, text: string): Promise<void> {
  await page.$eval(
    "#text",
    (it, text) => {
      const box = it as HTMLTextAreaElement;
      box.focus();
      box.setRangeText(text, box.selectionStart, box.selectionEnd, "end");
      box.dispatchEvent(new Event("input"));
    },
    text,
  );
}

/** How many characters have an element, how many of these are coloured, and which of them are in sight. */
function elements({ page }: ModelPage) {
  return page.evaluate(() => {
    const { top, bottom } = (
      document.querySelector("#editor") as HTMLElement
    ).getBoundingClientRect();
    const isInSight = (it: Element) => {
      const box = it.getBoundingClientRect();
      return box.bottom > top + 1 && box.top < bottom - 1;
    };
    const spans = Array.from(document.querySelectorAll("#shown span > span"));
    const chunks = Array.from(document.querySelectorAll("#shown > div > span")).filter(isInSight);
    return {
      count: spans.length,
      coloured: spans.filter((it) => /\bs\d$/.test(it.className)).length,
      chunksInSight: chunks.length,
      plainInSight: chunks.filter((it) => it.children.length === 0).length,
    };
  });
}

for (const [kind, text] of [
  ["of lines", CATS],
  ["without line breaks", CATS.replaceAll("\n", " ")],
] as const) {
  slow(`A page that writes a long text ${kind} stops at a click`, { skip }, async (t) => {
    const page = await openModelPage(t, await learned(t, text));
    await page.fill({ length: 1_000_000 });
    await page.page.click("#write");
    await page.page.waitForFunction(
      () => (document.querySelector("#shown")?.textContent ?? "").length > 150_000,
    );
    await page.page.click("#write");
    await page.says(/^Stopped after /);
    const [written, behind] = [await page.text(), await shown(page)];
    assert.ok(written === behind, `${written.length}, ${behind.length}`);
  });
}

for (const [kind, text] of [
  ["of lines", `${WORDS}\n`.repeat(2_000)],
  ["without line breaks", WORDS.repeat(2_000)],
] as const) {
  slow(`A page colours what is in sight of a long text ${kind}`, { skip }, async (t) => {
    const page = await openModelPage(t, await learned(t, CATS));
    await paste(page, text);
    for (const where of ["bottom", "top", "middle"] as const) {
      await page.page.$eval(
        "#editor",
        (it, where) => {
          it.scrollTop = { bottom: it.scrollHeight, top: 0, middle: it.scrollHeight / 2 }[where];
          return new Promise((resolve) => requestAnimationFrame(resolve));
        },
        where,
      );
      await page.looks(/^at the end of the text$/);
      const { count, coloured, chunksInSight, plainInSight } = await elements(page);
      assert.ok(chunksInSight > 0 && count < 10_000, `${chunksInSight}, ${count}`);
      assert.equal(plainInSight, 0, where);
      assert.ok(coloured > 0.7 * count, `${coloured} of ${count}`);
    }
    assert.equal(await shown(page), text);
  });
}

slow("A page changes a long text wherever one types in it", { skip }, async (t) => {
  const page = await openModelPage(t, await learned(t, CATS));
  const lines = Array.from({ length: 3_000 }, (_, k) => (k % 7 === 0 ? "" : WORDS.slice(k % 40)));
  let text = lines.join("\n");
  await paste(page, text);
  const change = async (start: number, end: number, characters: string) => {
    text = text.slice(0, start) + characters + text.slice(end);
    await page.page.$eval(
      "#text",
      (it, start, end) => (it as HTMLTextAreaElement).setSelectionRange(start, end),
      start,
      end,
    );
    await paste(page, characters);
    assert.equal(await page.text(), text);
    assert.equal(await shown(page), text);
  };
  await change(0, 0, "x");
  await change(text.length, text.length, "\n\n");
  await change(40_000, 40_001, "a\nb\n\nc");
  await change(30_000, 50_000, "");
  await change(10, 3_000, WORDS.repeat(100));
  await change(1_000, 1_001, "\u{1f431}");
  await change(text.indexOf("\n"), text.indexOf("\n") + 1, "");
  await change(0, text.length, "");
  await change(0, 0, text);
});

slow("A page is printed in colours, also what is not in sight", { skip }, async (t) => {
  const page = await openModelPage(t, await learned(t, CATS));
  const text = `${WORDS}\n`.repeat(300);
  await paste(page, text);
  await page.looks(/^at the end of the text$/);
  await page.page.evaluate(() => {
    addEventListener("beforeprint", () => {
      const spans = document.querySelectorAll("#shown span > span");
      document.body.dataset.printed = String(spans.length);
    });
  });
  assert.ok((await elements(page)).count < text.length / 2);
  await page.page.pdf();
  assert.equal(await page.page.$eval("body", (it) => it.dataset.printed), String(text.length + 1));
  assert.ok((await elements(page)).count < text.length / 2);
});
