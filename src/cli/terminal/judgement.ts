import { count } from "./format.js";

/** What a result is judged by; losses in nats/character. */
interface Result {
  readonly bestLoss: number;
  readonly trainingLoss: number | undefined;
  readonly counting?: { readonly order: number; readonly loss: number } | undefined;
  readonly characters: number;
  readonly validationCharacters: number;
}

/** One line that says how good a result is. */
export function judgement(result: Result): string {
  const { bestLoss, trainingLoss, counting, characters, validationCharacters } = result;
  const share = `${count(validationCharacters)} of ${count(characters)} characters`;
  const facts = [`validation loss ${inUnits(bestLoss)}, held out ${share}`];
  if (trainingLoss !== undefined) facts.push(`training loss ${trainingLoss.toFixed(3)}`);
  if (counting) {
    facts.push(`counting strings of ${counting.order} characters ${counting.loss.toFixed(3)}`);
  }
  return facts.join("; ");
}

/** `1.500 nats/char (2.164 bits/char)` */
export function inUnits(loss: number): string {
  return `${loss.toFixed(3)} nats/char (${(loss / Math.LN2).toFixed(3)} bits/char)`;
}
