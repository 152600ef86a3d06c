/** Before `npm pack` in a clone, whose package.json is not that of the published package. */
console.error(
  "A clone is no package: it names no compiled addons and compiles one itself.\n" +
    "Make the packages with: npm run native:package -- --all\n" +
    "Then pack each: npm pack ./native/build/package/charnn ./native/build/package/native-*",
);
process.exitCode = 1;
