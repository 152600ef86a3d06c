import { median } from "../arrays.js";
import { SAMPLE_DEFAULTS } from "../config/sample.js";
import type { Vocabulary } from "../data/vocabulary.js";
import type { CharRnn } from "../model/char-rnn.js";
import type { Random } from "../random.js";
import { generate } from "../sampling/sampler.js";
import { Turns } from "../turns.js";

/** This many characters of each text are timed together: one alone takes some microseconds. */
const CHARACTERS_PER_TIME = 64;

/**
 * Times the writing of texts side by side, without end.
 *
 * @returns the characters a second of all of them together, by the median
 * @throws the reason of `signal` when it is aborted
 */
export async function timeSampling(
  model: CharRnn,
  vocabulary: Vocabulary,
  streams: number,
  random: Random,
  seconds: { readonly warmUp: number; readonly timed: number },
  onProgress: (fraction: number) => void = () => {},
  signal?: AbortSignal,
): Promise<number> {
  // With a prompt every text is seen from its first character on.
  const prompt = vocabulary.characterAt(0);
  const settings = { ...SAMPLE_DEFAULTS, prompt, length: -1, count: streams };
  const texts = generate(model, vocabulary, settings, random);
  const turns = new Turns(signal);
  const secondsAll = seconds.warmUp + seconds.timed;
  const repeat = async (limit: number, done: number): Promise<number[]> => {
    const times: number[] = [];
    let spent = 0;
    do {
      let written = 0;
      let own = 0;
      const start = performance.now();
      do {
        texts.next();
        written++;
        own = (performance.now() - start) / 1e3;
      } while (written < CHARACTERS_PER_TIME && spent + own < limit);
      spent += own;
      times.push(own / written);
      onProgress((done + Math.min(spent, limit)) / secondsAll);
      if (turns.isDue()) await turns.take();
      signal?.throwIfAborted();
    } while (spent < limit);
    return times;
  };
  try {
    await repeat(seconds.warmUp, 0);
    return streams / median(await repeat(seconds.timed, seconds.warmUp));
  } finally {
    texts.return([]);
  }
}
