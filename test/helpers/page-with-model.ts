/// <reference lib="dom" />
/** An exported page in a real browser, used by its own controls. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "puppeteer-core";
import type { Checkpoint } from "#src/checkpoint/checkpoint.js";
import { encodeHtml } from "#src/export/html/encode-html.js";
import type { Bits } from "#src/portable/packed-model.js";
import { openPage, textOf } from "./browser.js";
import { temporaryFolder } from "./folder.js";

type Owner = { after(release: () => unknown): void };

/** What is written in the page's fields. */
export interface Fields {
  readonly length?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly randomSeed?: number;
}

const FIELD_IDS: Readonly<Record<keyof Fields, string>> = {
  length: "length",
  temperature: "temperature",
  topP: "top-p",
  minP: "min-p",
  randomSeed: "seed",
};

/** Opens the page of a model, which must log nothing, violate no policy and request nothing but itself. */
export async function openModelPage(t: Owner, checkpoint: Checkpoint, bits: Bits = 32) {
  const file = path.join(await temporaryFolder(t), "model.html");
  const facts = { name: "cats", origin: undefined, precision: undefined };
  await writeFile(file, await encodeHtml(checkpoint, bits, facts));
  return openModelFile(t, file);
}

/** Opens an exported page from disk, as {@link openModelPage} does. */
export async function openModelFile(t: Owner, file: string): Promise<ModelPage> {
  const address = pathToFileURL(file).href;
  const { page, messages, requests } = await openPage(address);
  await page.waitForFunction(
    () => document.querySelector<HTMLButtonElement>("#write")?.disabled === false,
  );
  t.after(async () => {
    await page.close();
    assert.deepEqual(messages, []);
    const others = requests.filter((url) => url !== address && !/^(?:blob|data):/.test(url));
    assert.deepEqual(others, []);
  });
  return new ModelPage(page);
}

export class ModelPage {
  constructor(readonly page: Page) {}

  /** What stands in the text box. */
  text(): Promise<string> {
    return this.page.$eval("#text", (box) => (box as HTMLTextAreaElement).value);
  }

  textOf(selector: string): Promise<string> {
    return textOf(this.page, selector);
  }

  async type(text: string): Promise<void> {
    await this.page.focus("#text");
    await this.page.keyboard.type(text);
  }

  async fill(fields: Fields): Promise<void> {
    for (const [name, value] of Object.entries(fields)) {
      await this.page.$eval(
        `#${FIELD_IDS[name as keyof Fields]}`,
        (field, value) => {
          (field as HTMLInputElement).value = value;
          field.dispatchEvent(new Event("input", { bubbles: true }));
        },
        String(value),
      );
    }
  }

  /** Writes on, until all is written. */
  async write(fields: Fields = {}): Promise<string> {
    await this.fill(fields);
    await this.page.click("#write");
    await this.says(/^(?:Wrote|The text)/);
    return this.text();
  }

  /** Waits until the status says something. */
  async says(what: RegExp): Promise<string> {
    await this.page.waitForFunction(
      (source) => new RegExp(source).test(document.querySelector("#status")?.textContent ?? ""),
      { timeout: 60_000 },
      what.source,
    );
    return this.textOf("#status");
  }

  /** Waits until the model has read the text, and looked at the caret or where the pointer is. */
  async looks(place: RegExp): Promise<void> {
    await this.page.waitForFunction(
      (source) =>
        new RegExp(source).test(document.querySelector("#place")?.textContent ?? "") &&
        document.querySelector("#next")?.getAttribute("aria-busy") === "false",
      { timeout: 20_000 },
      place.source,
    );
  }
}
