import { basename, relative, sep } from "node:path";
import { quoted } from "../shell-words.js";

/** Commands in advice, as `charnn train`; where the word is something else, no command follows it. */
const COMMAND =
  /\bcharnn (?=(?:train|sample|runs|info|plot|report|eval|score|next|copies|import|doctor|bench|complete|help|--help|--version)\b|COMMAND\b)/g;

/**
 * What has to be typed for `charnn` to run it as this process was: by its name where that was found, by npx, by
 * `npm start`, or by its path.
 */
export function invocation(
  script: string = process.argv[1] ?? "charnn",
  env: Readonly<Record<string, string | undefined>> = process.env,
): string {
  if (env.npm_command === "exec") return "npx charnn";
  if (env.npm_lifecycle_event === "start") return "npm start --";
  // A program that npm links to a name is called by that name, or on Windows by its path among the installed
  // packages.
  const isInstalled = script.split(sep).includes("node_modules");
  if (basename(script) === "charnn" || isInstalled) return "charnn";
  return `node ${quoted(relative(process.cwd(), script))}`;
}

/** Advice with its commands as they have to be typed. */
export function asTyped(advice: string): string {
  if (!advice.includes("charnn ")) return advice;
  const start = `${invocation()} `;
  return advice.replace(COMMAND, () => start);
}
