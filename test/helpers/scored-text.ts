/** What a checkpoint predicts and writes, to be compared with other programs. */
import { loadCheckpoint, openModel, sample } from "#src/index.js";

/** The loss of each character of a text but the first, nats. */
export async function lossesOf(checkpoint: string, text: string): Promise<number[]> {
  const model = await openModel(checkpoint, { backend: "wasm" });
  try {
    const scored = await model.score(text);
    return scored.flatMap(({ bits }) => (bits === undefined ? [] : [bits * Math.LN2]));
  } finally {
    model.close();
  }
}

/** A prompt and what the model writes after it, always the likeliest character. */
export async function greedyText(
  checkpoint: string,
  prompt: string,
  length: number,
): Promise<string> {
  let text = prompt;
  const settings = { seed: prompt, length, temperature: 0, backend: "wasm" } as const;
  for await (const [character] of sample(await loadCheckpoint(checkpoint), settings)) {
    text += character;
  }
  return text;
}
