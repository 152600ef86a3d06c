/**
 * Writes a text with an exported model; Ctrl-C ends it.
 *
 *     charnn export night --to js -o model.mjs
 *     node write.mjs model.mjs "i love" 200
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [file = "model.mjs", prompt = "", length = "200"] = process.argv.slice(2);
const { generate } = await import(pathToFileURL(resolve(file)).href);
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());

process.stdout.write(prompt);
try {
  const settings = { length: Number(length), temperature: 0.8, signal: stop.signal };
  for await (const character of generate(prompt, settings)) process.stdout.write(character);
} catch (error) {
  if (!stop.signal.aborted) throw error;
}
process.stdout.write("\n");
