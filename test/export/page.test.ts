/// <reference lib="dom" />
/** An exported page in a real browser. */
import assert from "node:assert/strict";
import { after } from "node:test";
import type { Checkpoint } from "#src/checkpoint/checkpoint.js";
import { readKernels } from "#src/export/kernels-file.js";
import { packModel } from "#src/export/pack-model.js";
import { type SampleSettings, sample, type TrainSettings } from "#src/index.js";
import { PortableModel } from "#src/portable/portable-model.js";
import { withoutChromium } from "../helpers/chromium.js";
import { CATS, learned } from "../helpers/mixtures.js";
import { closeBrowser, openModelPage } from "../helpers/page-with-model.js";
import { slow } from "../helpers/slow.js";

const skip = withoutChromium;
/** Some of its characters take two units of UTF-16. */
const TEXT = "the \u{1f431} sat on a mat, and a \u{1f9f6} on the cat.\n".repeat(40);

after(closeBrowser);

async function sampled(checkpoint: Checkpoint, settings: SampleSettings): Promise<string> {
  let text = "";
  for await (const [character] of sample(checkpoint, { ...settings, backend: "wasm" })) {
    text += character;
  }
  return text;
}

async function portable(checkpoint: Checkpoint): Promise<PortableModel> {
  const { packed, weights } = packModel(checkpoint, 32);
  return PortableModel.open(packed, weights, await readKernels());
}

const MODELS: readonly Partial<TrainSettings>[] = (["gru", "lstm", "rnn"] as const).flatMap(
  (cell) =>
    [1, 2].flatMap((layers) =>
      [0, 12].map((embeddingSize) => ({ cell, layers, embeddingSize, hiddenSize: 40 })),
    ),
);

for (const settings of MODELS) {
  const { cell, layers, embeddingSize } = settings;
  const what = `${cell}, ${layers} layers, ${embeddingSize ? "with" : "without"} embedding`;
  slow(
    `A page writes the same 10,000 characters as sample on the wasm backend (${what})`,
    { skip },
    async (t) => {
      const checkpoint = await learned(t, TEXT, settings);
      const page = await openModelPage(t, checkpoint);
      const how = { length: 10_000, temperature: 1.5, topP: 0.97, minP: 0.01, randomSeed: 5 };
      await page.type("the \u{1f431}\nand");
      const text = await page.write(how);
      const expected = await sampled(checkpoint, { ...how, seed: "the \u{1f431}\nand" });
      assert.equal(text, `the \u{1f431}\nand${expected}`);
      assert.match(text.slice(10), /[\u{1f431}\u{1f9f6}]/u);
      assert.match(await page.says(/./), /^Wrote 10,000 characters, [\d,]+ a second\.$/);
    },
  );
}

slow(
  "A page without a text begins one as sample does, and goes on with what it wrote",
  { skip },
  async (t) => {
    const checkpoint = await learned(t, CATS);
    const page = await openModelPage(t, checkpoint);
    const first = await page.write({ length: 300, randomSeed: 7 });
    assert.equal(first, await sampled(checkpoint, { length: 300, randomSeed: 7 }));
    const second = await page.write({ length: 100, randomSeed: 8 });
    const more = await sampled(checkpoint, { length: 100, randomSeed: 8, seed: first });
    assert.equal(second, first + more);
    // A seed that was typed stays until a new one is asked for each time.
    assert.equal(await page.page.$eval("#seed", (it) => (it as HTMLInputElement).value), "8");
    await page.page.click("#new-seed");
    await page.page.click("#undo");
    await page.page.click("#undo");
    const drawn = await page.write({ length: 50 });
    const randomSeed = Number(
      await page.page.$eval("#seed", (it) => (it as HTMLInputElement).value),
    );
    assert.equal(drawn, await sampled(checkpoint, { length: 50, randomSeed }));
  },
);

slow("A page ends a text where the model ends a document, as sample does", { skip }, async (t) => {
  const names = "anna\nbob\nclaire\ndora\n".repeat(40);
  for (const documents of ["lines", "\n"]) {
    const checkpoint = await learned(t, names, { documents });
    const page = await openModelPage(t, checkpoint);
    const name = await page.write({ length: 500, randomSeed: 3 });
    assert.equal(name, await sampled(checkpoint, { length: 500, randomSeed: 3 }));
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
      assert.equal(inModel(first), await sampled(checkpoint, { length: 300, randomSeed: 7 }));
      assert.match(first, /mat\nand a hat\n/);
      await page.type("\nthe cat\n");
      const second = await page.write({ length: 100, randomSeed: 8 });
      const seed = inModel(`${first}\nthe cat\n`);
      const more = await sampled(checkpoint, { length: 100, randomSeed: 8, seed });
      assert.equal(inModel(second), seed + more);
      await page.page.focus("#text");
      await page.looks(/^at the end of the text$/);
      const end = await page.page.$$eval("#shown .end", (ends) => ends[0].className);
      const scores = await (await portable(checkpoint)).score(seed);
      const at = scores.findIndex(({ character }) => lineEnd.startsWith(character));
      const bits = scores
        .slice(at, at + lineEnd.length)
        .reduce((sum, score) => sum + (score.bits ?? 0), 0);
      assert.equal(end, `end s${[1, 2, 4, 6].filter((from) => bits >= from).length}`);
    },
  );
}

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
  const page = await openModelPage(t, await learned(t, TEXT));
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
  "A page colours each character by its surprisal, also beyond the BMP and at line ends",
  { skip },
  async (t) => {
    const checkpoint = await learned(t, TEXT);
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
    const checkpoint = await learned(t, TEXT);
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

slow(
  "A page puts the letters of its text box exactly over the coloured ones, at any width",
  { skip },
  async (t) => {
    const page = await openModelPage(t, await learned(t, TEXT));
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
