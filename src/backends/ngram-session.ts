import type { ModelConfig } from "../config/model.js";
import type { DecodeSession } from "./backend.js";
import { rowsOfNgrams, vectorTables } from "./ngram-vectors.js";

/** A session that reads vectors in place of tokens. */
export interface VectorSession extends Omit<DecodeSession, "step"> {
  /** @param vectors `[sequences, embedding]`, of the first sequences */
  step(vectors: Float32Array): Float32Array;
}

/**
 * A session that reads tokens, from one that reads vectors: the sums of the embeddings of a character and of the n-grams
 * that it ends. The state of a sequence has more numbers at its end: the tokens that it read last, each plus 1, in the
 * order of the text; 0 where there is none.
 *
 * @param numbers of a parameter, by its name: must not change meanwhile
 */
export function ngramSession(
  session: VectorSession,
  config: ModelConfig,
  numbers: (name: string) => Float32Array,
  sequences: number,
): DecodeSession {
  const { embeddingSize, vocabularySize } = config;
  const tables = vectorTables(config).map(numbers);
  const order = tables.length;
  /** `[sequences, order]`: those read before, and last of each sequence the one of a step. */
  const symbols = new Int32Array(sequences * order);
  const room = new Float32Array(sequences * embeddingSize);
  return {
    step(tokens) {
      const count = tokens.length;
      if (count < 1 || count > sequences) {
        throw new TypeError("tokens must be one of each sequence, or of the first.");
      }
      for (const [n, token] of tokens.entries()) {
        if (!(token >= 0 && token < vocabularySize)) {
          throw new TypeError("tokens must be below the size of the vocabulary.");
        }
        symbols[(n + 1) * order - 1] = token + 1;
      }
      const vectors = room.subarray(0, count * embeddingSize);
      addUp(rowsOfNgrams(config, symbols.subarray(0, count * order)), tables, vectors);
      const logits = session.step(vectors);
      for (let first = 0; first < count * order; first += order) {
        symbols.copyWithin(first, first + 1, first + order);
      }
      return logits;
    },
    readState(sequence) {
      const state = session.readState(sequence);
      const longer = new Float32Array(state.length + order - 1);
      longer.set(state);
      longer.set(symbols.subarray(sequence * order, (sequence + 1) * order - 1), state.length);
      return longer;
    },
    writeState(sequence, state) {
      const read = state.subarray(1 - order);
      if (!read.every((it) => Number.isInteger(it) && it >= 0 && it <= vocabularySize)) {
        throw new TypeError("state must end with tokens plus 1, or with zeros.");
      }
      session.writeState(sequence, state.subarray(0, 1 - order));
      symbols.set(read, sequence * order);
    },
    dispose: () => session.dispose(),
  };
}

/**
 * @param rows `[n-grams, tables]`
 * @param tables `[rows, embedding]` each
 * @param vectors `[n-grams, embedding]`: overwritten by the sums of the rows of each n-gram
 */
function addUp(rows: Int32Array, tables: readonly Float32Array[], vectors: Float32Array): void {
  const size = (vectors.length / rows.length) * tables.length;
  vectors.fill(0);
  for (const [k, table] of tables.entries()) {
    for (let to = 0, at = k; at < rows.length; at += tables.length, to += size) {
      const from = rows[at] * size;
      for (let i = 0; i < size; i++) vectors[to + i] += table[from + i];
    }
  }
}
