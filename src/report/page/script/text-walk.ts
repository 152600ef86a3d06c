/**
 * Lets a person go through a text with the pointer or the arrow keys.
 *
 * @param spans one for each character
 * @param onCharacter called with the position they are at
 * @returns goes to a position
 */
export function walkText(
  text: HTMLElement,
  spans: readonly HTMLElement[],
  onCharacter: (position: number) => void,
): (position: number) => void {
  const positions = new Map<EventTarget, number>(spans.map((span, position) => [span, position]));
  let current = -1;
  const goTo = (position: number) => {
    if (position < 0 || position >= spans.length || position === current) return;
    spans[current]?.classList.remove("current");
    current = position;
    spans[current].classList.add("current");
    onCharacter(current);
  };
  text.addEventListener("pointermove", ({ target }) => {
    const position = target && positions.get(target);
    if (typeof position === "number") goTo(position);
  });
  text.addEventListener("focus", () => goTo(Math.max(current, 0)));
  text.addEventListener("keydown", (event) => {
    const to: Readonly<Record<string, number>> = {
      ArrowLeft: Math.max(current - 1, 0),
      ArrowRight: Math.min(current + 1, spans.length - 1),
      Home: 0,
      End: spans.length - 1,
    };
    const position = to[event.key];
    if (position === undefined) return;
    event.preventDefault();
    goTo(position);
    spans[position].scrollIntoView({ block: "nearest" });
  });
  return goTo;
}
