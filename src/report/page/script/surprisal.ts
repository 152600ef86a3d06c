import { quotedOrNamed } from "./character-names.js";
import type { TextData } from "./data.js";
import { element } from "./elements.js";
import { showExpected } from "./expected-bars.js";
import { walkText } from "./text-walk.js";

/** Shorter lines are surprising by chance. */
const SHORTEST_LINE = 10;
const SPOKEN_EXPECTATIONS = 3;

/** Lets a person go through the text by its surprisal, and to its most surprising line. */
export function showSurprisal(text: TextData): void {
  const box = element("surprisal-text");
  const spans = [...box.querySelectorAll("span")];
  const status = element("surprisal-status");
  const goTo = walkText(box, spans, (position) => {
    status.textContent = described(text, position);
    showExpected(text, position);
  });
  const first = text.bits.findIndex((bits) => bits !== null);
  if (first >= 0) showExpected(text, first);
  const line = mostSurprisingLine(text);
  const jump = element<HTMLButtonElement>("surprisal-jump");
  jump.hidden = line === undefined;
  jump.addEventListener("click", () => {
    if (!line) return;
    for (const [k, span] of spans.entries()) {
      span.classList.toggle("found", k >= line.from && k < line.to);
    }
    spans[line.from].scrollIntoView({ block: "center" });
    box.focus({ preventScroll: true });
    goTo(line.from);
    status.textContent = `The most surprising line: ${line.bits.toFixed(2)} bits/char.`;
  });
}

function described(text: TextData, position: number): string {
  const bits = text.bits[position];
  const parts = [quotedOrNamed(text.characters[position])];
  if (bits !== null) {
    const likeliest = [...text.expected[position]].slice(0, SPOKEN_EXPECTATIONS);
    const expected = likeliest.map((character, k) => {
      const percent = Math.round(100 * text.probabilities[position][k]);
      return `${quotedOrNamed(character)} ${percent} %`;
    });
    parts.push(`${bits.toFixed(2)} bits`, `expected ${expected.join(", ")}`);
  }
  return parts.join("; ");
}

interface Line {
  readonly from: number;
  readonly to: number;
  /** The mean of its characters. */
  readonly bits: number;
}

/** The line with the highest mean; undefined where all are too short to tell. */
function mostSurprisingLine({ characters, bits }: TextData): Line | undefined {
  let most: Line | undefined;
  for (let from = 0; from < characters.length; ) {
    const end = characters.indexOf("\n", from);
    const to = end < 0 ? characters.length : end;
    const known = bits.slice(from, to).filter((it) => it !== null);
    const mean = known.reduce((sum, it) => sum + it, 0) / known.length;
    if (known.length >= SHORTEST_LINE && mean > (most?.bits ?? 0)) most = { from, to, bits: mean };
    from = to + 1;
  }
  return most;
}
