/** Shows the hint behind each box whose content does not fit into it. */
export function showOverflowHints(): void {
  for (const hint of document.querySelectorAll<HTMLElement>(".hint")) {
    const box = hint.previousElementSibling;
    if (!box) continue;
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = box;
    hint.hidden = scrollWidth <= clientWidth + 1 && scrollHeight <= clientHeight + 1;
  }
}

/** Keeps the hints right while the page changes its width and parts of it are opened. */
export function keepOverflowHints(): void {
  showOverflowHints();
  addEventListener("resize", showOverflowHints);
  for (const part of document.querySelectorAll("details")) {
    part.addEventListener("toggle", showOverflowHints);
  }
}
