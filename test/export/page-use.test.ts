/// <reference lib="dom" />
/** An exported page in a real browser can be used by keyboard and pointer, printed, and read by a screen reader. */
import assert from "node:assert/strict";
import { after } from "node:test";
import { closeBrowser, withoutChromium } from "../helpers/browser.js";
import { CATS, learned } from "../helpers/mixtures.js";
import { openModelPage } from "../helpers/page-with-model.js";
import { CAT_EMOJI, portable } from "../helpers/portable.js";
import { slow } from "../helpers/slow.js";

const skip = withoutChromium;

after(closeBrowser);

slow(
  "A page can be used by the keyboard alone: type, take, write, stop, undo, copy, leave",
  { skip },
  async (t) => {
    const checkpoint = await learned(t, CATS);
    const page = await openModelPage(t, checkpoint);
    const { keyboard } = page.page;
    await page.type("the cat");
    await page.looks(/^at the end of the text$/);
    const [likeliest] = await (await portable(checkpoint)).next("the cat", 1);
    await keyboard.press("Tab");
    assert.equal(await page.text(), `the cat${likeliest.character}`);
    await page.says(/^Took /);
    await page.fill({ length: 1_000_000, randomSeed: 1 });
    await keyboard.down("Control");
    await keyboard.press("Enter");
    await keyboard.up("Control");
    await page.page.waitForFunction(
      () => (document.querySelector("#shown")?.textContent ?? "").length > 100,
    );
    await keyboard.press("Escape");
    await page.says(/^Stopped after [\d,]+ characters?, /);
    const written = await page.text();
    assert.ok(written.startsWith(`the cat${likeliest.character}`) && written.length > 90, written);
    // Where the box can be typed in again, the model has stopped.
    await page.type("!");
    const hasMark = checkpoint.vocabulary.indexOf(0x21) !== undefined;
    assert.equal(hasMark, false);
    await page.says(/^The model does not know "!"/);
    for (let k = 0; k < 4; k++) {
      await keyboard.down("Control");
      await keyboard.press("z");
      await keyboard.up("Control");
    }
    assert.equal(await page.text(), "");
    await keyboard.down("Control");
    await keyboard.press("y");
    await keyboard.up("Control");
    assert.equal(await page.text(), "the cat");
    await keyboard.press("Escape");
    await page.says(/^Tab now leaves the text box\.$/);
    const focused = () => page.page.evaluate(() => document.activeElement?.id);
    const passed: (string | undefined)[] = [];
    for (let k = 0; k < 3; k++) {
      await keyboard.press("Tab");
      passed.push(await focused());
    }
    assert.deepEqual(passed, ["write", "undo", "copy"]);
    assert.equal(await page.text(), "the cat");
    await keyboard.press("Enter");
    await page.says(/^Copied 7 characters\.$/);
    await keyboard.press("Tab");
    await keyboard.press("Enter");
    await page.says(/^Took /);
    assert.equal((await page.text()).length, 8);
    // What was copied is there to be pasted.
    await page.page.focus("#text");
    await keyboard.down("Control");
    await keyboard.press("a");
    await keyboard.press("v", { commands: ["Paste"] });
    await keyboard.up("Control");
    assert.equal(await page.text(), "the cat");
  },
);

slow("A page takes a character that is clicked, where the caret is", { skip }, async (t) => {
  const page = await openModelPage(t, await learned(t, CAT_EMOJI));
  await page.type("the \u{1f431} sat\n\u{1f9f6}");
  for (let k = 0; k < 6; k++) await page.page.keyboard.press("ArrowLeft");
  await page.looks(/^at the caret$/);
  const [, label] =
    /^"(.+)",/.exec(
      await page.page.$eval(
        "#expected li:nth-child(2) button",
        (it) => it.getAttribute("aria-label") ?? "",
      ),
    ) ?? [];
  assert.ok(label !== undefined);
  await page.page.click("#expected li:nth-child(2) button");
  assert.equal(await page.text(), `the \u{1f431}${label} sat\n\u{1f9f6}`);
  assert.equal(await page.page.evaluate(() => document.activeElement?.id), "text");
});

slow(
  "A page puts the letters of its text box exactly over the coloured ones, at any width",
  { skip },
  async (t) => {
    const page = await openModelPage(t, await learned(t, CAT_EMOJI));
    await page.write({ length: 3_000, randomSeed: 2 });
    for (const width of [360, 800, 1600]) {
      await page.page.setViewport({ width, height: 800 });
      const sizes = await page.page.evaluate(() => {
        const box = document.querySelector("#text") as HTMLTextAreaElement;
        const shown = document.querySelector("#shown") as HTMLElement;
        return {
          box: box.scrollHeight,
          shown: shown.offsetHeight,
          page: document.documentElement.scrollWidth,
        };
      });
      assert.equal(sizes.box, sizes.shown);
      assert.equal(sizes.page, width);
    }
  },
);

slow("A page is printed with what was written, in its colours", { skip }, async (t) => {
  const page = await openModelPage(t, await learned(t, CATS));
  await page.type("the cat sat");
  await page.looks(/^at the end/);
  await page.page.emulateMediaType("print");
  const isShown = (selector: string) => page.page.$eval(selector, (it) => it.checkVisibility());
  assert.equal(await isShown("#shown"), true);
  assert.equal(await isShown("#about"), true);
  for (const hidden of ["#text", "#write", "#next", "#settings"]) {
    assert.equal(await isShown(hidden), false, hidden);
  }
});

slow("A page has a name for every control, and one live region", { skip }, async (t) => {
  const page = await openModelPage(t, await learned(t, CATS));
  await page.type("the");
  await page.looks(/^at the end/);
  const tree = await page.page.accessibility.snapshot({ interestingOnly: false });
  assert.ok(tree);
  const nodes = [tree];
  for (const node of nodes) nodes.push(...(node.children ?? []));
  const controls = ["button", "textbox", "spinbutton", "slider", "checkbox", "region", "form"];
  const found = nodes.filter(({ role }) => controls.includes(role));
  assert.deepEqual(
    found.filter(({ name }) => !name),
    [],
  );
  for (const [role, count] of [
    ["slider", 3],
    ["spinbutton", 2],
    ["checkbox", 2],
    ["textbox", 1],
  ] as const) {
    assert.equal(found.filter((node) => node.role === role).length, count, role);
  }
  assert.equal((await page.page.$$("[aria-live], [role=status], [role=alert]")).length, 1);
});
