/**
 * Runs two commands in turn, A B A B ..., and prints the median of the ratios of the chars/s they
 * print, so that a machine whose speed drifts is fair to both.
 *
 *     node dist-bench/versus.js ROUNDS 'COMMAND A' 'COMMAND B'
 */
import { execFileSync } from "node:child_process";
import { median } from "#src/arrays.js";

const [rounds, ...commands] = process.argv.slice(2);

function charsPerSecond(command: string): number {
  const output = execFileSync("bash", ["-c", command], { encoding: "utf8" });
  const found = /([\d.,]+) chars\/s/.exec(output);
  if (!found) throw new Error(`No chars/s in what this printed: ${command}\n${output}`);
  return Number(found[1].replaceAll(",", ""));
}

const pairs: [number, number][] = [];
for (let round = 0; round < Number(rounds); round++) {
  const [a, b] = commands.map(charsPerSecond);
  pairs.push([a, b]);
  console.log(`round ${round + 1}: A ${a}, B ${b} chars/s, A/B ${(a / b).toFixed(2)}`);
}
const a = median(pairs.map(([first]) => first));
const b = median(pairs.map(([, second]) => second));
console.log(
  `medians: A ${a}, B ${b} chars/s; A/B ${median(pairs.map(([x, y]) => x / y)).toFixed(2)}`,
);
