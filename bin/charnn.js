#!/usr/bin/env node
// A Node.js of 2017 can read this file, and loads nothing newer before its version is known to do.
const NEEDED = "20.3.0";

function isTooOld([major, minor]) {
  const [neededMajor, neededMinor] = NEEDED.split(".").map(Number);
  return major < neededMajor || (major === neededMajor && minor < neededMinor);
}

const { node } = process.versions;
if (isTooOld(node.split(".").map(Number))) {
  process.stderr.write(
    `Error: charnn needs Node.js ${NEEDED} or newer; this is Node.js ${node}, at ${process.execPath}.\n`,
  );
  process.exitCode = 1;
} else {
  // What Node.js itself ends with where something that is waited for never comes.
  process.exitCode = 13;
  import("../dist/cli/main.js")
    .then(({ main }) => main(process.argv.slice(2)))
    .then((exitCode) => {
      process.exitCode = exitCode;
    })
    .catch((error) => {
      if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
      process.exitCode = 1;
      return import("./not-set-up.js").then(({ whatIsMissing }) => {
        process.stderr.write(`Error: ${whatIsMissing(error)}\n`);
      });
    });
}
