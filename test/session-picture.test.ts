/** Checks the picture of a session in README.md against what it shows. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { test } from "node:test";

const ROOT = new URL("../", import.meta.url);
const readme = readFileSync(new URL("README.md", ROOT), "utf8");

for (const theme of ["light", "dark"]) {
  const svg = readFileSync(new URL(`docs/session-${theme}.svg`, ROOT), "utf8");

  test(`The picture of a session, ${theme}, is well-formed`, () => {
    const open: string[] = [];
    const tags = svg.matchAll(/<(\/?)([a-z]+)((?:\s[a-zA-Z:-]+="[^"<]*")*)(\/?)>|[<>]/g);
    for (const [tag, closing, name, attributes, selfClosing] of tags) {
      assert.notEqual(name, undefined, `"${tag}" is no tag`);
      const names = [...attributes.matchAll(/\s([a-zA-Z:-]+)=/g)].map(([, attribute]) => attribute);
      assert.equal(new Set(names).size, names.length, tag);
      if (closing) assert.equal(open.pop(), name);
      else if (!selfClosing) open.push(name);
    }
    assert.deepEqual(open, []);
    assert.doesNotMatch(svg, /&(?!amp;|lt;|gt;)/);
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /);
  });

  test(`The picture of a session, ${theme}, shows the commands of the README and no path of a machine`, () => {
    const commands = [...readme.matchAll(/^(?:npm ci && )?(node bin\/charnn\.js .+)$/gm)];
    assert.equal(commands.length, 2);
    for (const [, command] of commands) assert.ok(svg.includes(`>${command}<`), command);
    assert.doesNotMatch(svg, /\/(?:home|root|tmp|work|usr|Users)\//);
    assert.ok(!svg.includes(homedir()));
    assert.ok(readme.includes(`docs/session-${theme}.svg`));
  });
}
