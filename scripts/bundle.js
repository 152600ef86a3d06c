/**
 * Makes one script of each program that goes into a page or into an exported model, without what it does not use. Run
 * after the compiler:
 *
 *     node scripts/bundle.js
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Each is `dist/PATH.js`, and becomes `dist/PATH.bundle.js`. */
const PROGRAMS = [
  { path: "portable/main", globalName: "charnn" },
  { path: "export/html/worker" },
  { path: "export/html/script/main" },
  { path: "report/page/script/main" },
];

/** @returns {Promise<boolean>} whether what it takes is installed */
export async function bundlePrograms() {
  const esbuild = await import("esbuild").catch(() => undefined);
  if (!esbuild) return false;
  for (const { path, globalName } of PROGRAMS) {
    const file = join(root, "dist", path);
    await esbuild.build({
      entryPoints: [`${file}.js`],
      outfile: `${file}.bundle.js`,
      bundle: true,
      minify: true,
      format: "iife",
      globalName,
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
