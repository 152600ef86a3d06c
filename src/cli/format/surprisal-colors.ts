import type { ChalkInstance } from "chalk";
import { SURPRISAL_LEVELS } from "../../report/page/style.js";
import { type Piece, type Styled, styled } from "../terminal/styled.js";

const LEVELS = SURPRISAL_LEVELS.toReversed();

/**
 * A line of a text, each character in the colour of its surprisal.
 *
 * @param bits of each character; null for one that the model does not know, which is underlined
 */
export function colored(
  text: string,
  bits: readonly (number | null)[],
  colors: ChalkInstance,
): Styled[] {
  return Array.from(text, (character, k) => {
    const own = bits[k] ?? null;
    return own === null ? styled(colors.underline, character) : inColor(character, own, colors);
  });
}

/** What the colours mean. */
export function legend(colors: ChalkInstance): Piece[] {
  const levels = LEVELS.map(({ from }, k) => {
    const to = k === 0 ? " and more" : ` to ${LEVELS[k - 1].from}`;
    return inColor(` ${from}${to} `, from, colors);
  });
  return ["under 1", ...levels.reverse().flatMap((level) => [" ", level])];
}

function inColor(text: string, bits: number, colors: ChalkInstance): Styled {
  const level = LEVELS.find(({ from }) => bits >= from);
  return styled(level ? colors.bgHex(level.background).hex(level.text) : (shown) => shown, text);
}
