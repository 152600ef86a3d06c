/** The packages of other platforms, where they were made and this machine can run them. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { slow } from "./helpers/slow.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const script = path.join(root, "scripts", "check-platforms.js");
const packages = path.join(root, "native", "build", "package");
const MAKE = "npm run native:package --";

for (const name of ["linux-x64-musl", "linux-arm64", "linux-arm64-musl", "win32-x64"]) {
  slow(
    `The package for ${name} trains, resumes, samples and evaluates as on this platform`,
    (t) => {
      if (!existsSync(path.join(packages, `native-${name}`))) return t.skip(`${MAKE} ${name}`);
      const { status, stdout, stderr } = spawnSync(process.execPath, [script, name], {
        encoding: "utf8",
      });
      const [, missing] = stdout.match(/skipped; first: (.*)/) ?? [];
      if (missing) return t.skip(missing);
      assert.equal(status, 0, stdout + stderr);
      assert.match(stdout, /the same weights, text and figures/);
    },
  );
}
