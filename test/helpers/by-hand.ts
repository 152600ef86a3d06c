import type { Tokens } from "#src/data/vocabulary.js";
import type { CharRnn } from "#src/model/char-rnn.js";

/** The loss of each token but the first, read one by one from a state of zero; nats. */
export function lossesByHand(model: CharRnn, tokens: Tokens): number[] {
  const streams = model.openStreams(1);
  const losses: number[] = [];
  for (let position = 0; position + 1 < tokens.length; position++) {
    const logits = Array.from(streams.read(Int32Array.of(tokens[position])));
    const most = Math.max(...logits);
    const sum = logits.reduce((total, logit) => total + Math.exp(logit - most), 0);
    losses.push(most + Math.log(sum) - logits[tokens[position + 1]]);
  }
  streams.dispose();
  return losses;
}
