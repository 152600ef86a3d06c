/**
 * Writes docs/config.schema.json, by which editors complete and check the files of `charnn train --config`.
 *
 *     node scripts/write-config-schema.js            # writes it
 *     node scripts/write-config-schema.js --check    # fails where it is out of date
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { TYPED_ONLY } from "../dist/config/config-file-options.js";
import { TRAIN } from "../dist/config/train.js";
import { hyphened } from "../dist/text.js";

/** What each kind of value may be. */
const VALUES = {
  "whole number": (kind) => ({ type: "integer", ...limits(kind) }),
  number: (kind) => ({ type: "number", ...limits(kind) }),
  seconds: (kind) => ({
    type: ["string", "number"],
    pattern: "^(\\d+\\.?\\d*|\\.\\d+) *(s|m|min|h)?$",
    examples: ["90s", "10m", "2h"],
    ...limits(kind),
  }),
  text: () => ({ type: "string" }),
  word: ({ words }) => ({ enum: words }),
  flag: () => ({ type: "boolean" }),
  changes: () => ({
    type: "string",
    pattern: "^\\d+:\\d+(, *\\d+:\\d+)*$",
    examples: ["120:3500"],
  }),
};

const file = fileURLToPath(new URL("../docs/config.schema.json", import.meta.url));
const { values: options } = parseArgs({ options: { check: { type: "boolean" } } });
const text = `${JSON.stringify(schema(), undefined, 2)}\n`;

if (!options.check) writeFileSync(file, text);
else if (readFileSync(file, "utf8") !== text) {
  console.error("docs/config.schema.json is out of date: run npm run docs.");
  process.exitCode = 1;
}

function schema() {
  const named = Object.entries(TRAIN).filter(
    ([name, { help }]) => help !== undefined && !TYPED_ONLY.has(name),
  );
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Options of charnn train --config",
    type: "object",
    properties: {
      $schema: { type: "string", description: "Where this schema is, for editors" },
      ...Object.fromEntries(
        named.map(([name, option]) => [propertyName(name, option), of(option)]),
      ),
    },
    additionalProperties: false,
  };
}

/** A flag that is on by default can only be left out. */
function propertyName(name, { kind, default: byDefault }) {
  return `${kind.type === "flag" && byDefault === true ? "no-" : ""}${hyphened(name)}`;
}

function of({ kind, help, special, decidedBy, default: byDefault }) {
  const notes = [special, decidedBy && `default: ${decidedBy}`].filter(Boolean).join("; ");
  const description = notes ? `${help} (${notes})` : help;
  const value = kind.type === "flag" ? undefined : byDefault;
  return {
    description,
    ...VALUES[kind.type](kind),
    ...(value !== undefined && { default: value }),
  };
}

function limits({ least, most, above, below }) {
  return {
    ...(least !== undefined && { minimum: least }),
    ...(most !== undefined && { maximum: most }),
    ...(above !== undefined && { exclusiveMinimum: above }),
    ...(below !== undefined && { exclusiveMaximum: below }),
  };
}
