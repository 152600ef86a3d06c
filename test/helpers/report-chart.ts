/// <reference lib="dom" />
import assert from "node:assert/strict";
import type { BoundingBox, Page } from "puppeteer-core";

/** Where a chart is drawn in the window, in which it is then. */
export async function plotOf(page: Page, chart: string): Promise<BoundingBox> {
  const plot = await page.$(`#chart-${chart} .u-over`);
  await plot?.evaluate((it) => it.scrollIntoView({ block: "center" }));
  const place = await plot?.boundingBox();
  assert.ok(place);
  return place;
}
