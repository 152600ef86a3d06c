/**
 * What a compiler made of the kernels' inner loops, read from what objdump prints: for tests, since a fault here
 * makes kernels slow, but not wrong.
 */

/** Functions of vectors, and the equations of several rows, by a part of their mangled names. */
const INLINED = /(8Unrolled|8activate|step_elements)/;
const TILE = /^_ZN6charnn\d+(\w+?)13multiply_tileINS0_(\d+\w+?)ELi(\d+)ELi(\d+)EE/;
const PRODUCT = /^(vfn?m(add|sub)\w*|v?mulps|fml[as]|fmul)$/;
const ON_STACK = /\(%[er][sb]p|\[sp/;

/**
 * @param {string} listing - of `objdump -d --no-show-raw-insn`, of a program with its symbols
 * @returns {{ instructionSets: Set<string>, faults: string[] }} whose tiles were found, and what is slow, a line each
 */
export function readKernels(listing) {
  const functions = parse(listing);
  const faults = functions
    .filter(({ name }) => name.startsWith("_ZZN6charnn") && INLINED.test(name))
    .map(({ name }) => `not inlined: ${name}`);
  const tiles = largestTiles(functions);
  for (const { name, code } of tiles) {
    const spilled = innerLoops(code)
      .filter((loop) => loop.some(({ mnemonic }) => PRODUCT.test(mnemonic)))
      .flatMap((loop) => loop.filter(({ text }) => ON_STACK.test(text)));
    if (spilled.length > 0)
      faults.push(`on the stack in an inner loop: ${name}: ${spilled[0].text}`);
  }
  return { instructionSets: new Set(tiles.map((tile) => tile.instructionSet)), faults };
}

/** Of each instruction set, left factor and number of panels. Small tiles don't pay for care. */
function largestTiles(functions) {
  const largest = new Map();
  for (const each of functions) {
    const [, instructionSet, left, rows, panels] = TILE.exec(each.name) ?? [];
    if (!rows) continue;
    const key = [instructionSet, left, panels].join(" ");
    if (Number(rows) > (largest.get(key)?.rows ?? 0)) {
      largest.set(key, { ...each, instructionSet, rows: Number(rows) });
    }
  }
  return [...largest.values()];
}

/** From the target of each jump backwards to the jump, where no other such loop lies within. */
function innerLoops(code) {
  const indexes = new Map(code.map(({ address }, index) => [address, index]));
  const loops = code.flatMap(({ text, mnemonic }, end) => {
    const target = /^(j|b|cb|tb)/.test(mnemonic) && /([0-9a-f]+) </.exec(text)?.[1];
    const begin = target ? indexes.get(target) : undefined;
    return begin !== undefined && begin <= end ? [{ begin, end }] : [];
  });
  const contains = (a, b) => a !== b && a.begin <= b.begin && b.end <= a.end;
  return loops
    .filter((loop) => !loops.some((other) => contains(loop, other)))
    .map(({ begin, end }) => code.slice(begin, end + 1));
}

function parse(listing) {
  const functions = [];
  for (const line of listing.split("\n")) {
    const start = /^[0-9a-f]+ <(.+)>:$/.exec(line);
    if (start) functions.push({ name: start[1], code: [] });
    const instruction = /^\s+([0-9a-f]+):\s+(\S+)(.*)$/.exec(line);
    if (instruction && functions.length > 0) {
      const [, address, mnemonic, operands] = instruction;
      functions.at(-1).code.push({ address, mnemonic, text: `${mnemonic}${operands}` });
    }
  }
  return functions;
}
