/**
 * Makes one script of each program that goes into an exported model, without what it does not use. Run after the
 * compiler:
 *
 *     node scripts/bundle.js
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Each is `dist/portable/NAME.js`, and becomes `dist/portable/NAME.bundle.js`: a script that sets `charnn`. */
const PROGRAMS = ["main"];

/** @returns {Promise<boolean>} whether what it takes is installed */
export async function bundlePrograms() {
  const esbuild = await import("esbuild").catch(() => undefined);
  if (!esbuild) return false;
  const file = (name) => join(root, "dist", "portable", name);
  for (const name of PROGRAMS) {
    await esbuild.build({
      entryPoints: [file(`${name}.js`)],
      outfile: file(`${name}.bundle.js`),
      bundle: true,
      minify: true,
      format: "iife",
      globalName: "charnn",
      platform: "neutral",
      target: "es2022",
      // In a page it stands between tags.
      supported: { "inline-script": false },
      charset: "ascii",
      logLevel: "warning",
    });
  }
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!(await bundlePrograms())) {
    console.error(
      "The programs of exported models are not bundled: esbuild is not installed. Run: npm ci",
    );
    process.exitCode = 1;
  }
}
