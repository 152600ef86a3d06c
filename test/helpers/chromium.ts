/** A browser for tests that look at a page. */
import { existsSync } from "node:fs";

/** Its program; undefined where there is none. */
export const CHROMIUM = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (file) => file !== undefined && existsSync(file),
);

/** For a test that needs it: why it is skipped. */
export const withoutChromium =
  CHROMIUM === undefined && "no Chromium; apt-get install chromium, or CHROMIUM names it";
