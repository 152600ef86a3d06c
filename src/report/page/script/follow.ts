import type { Update } from "./data.js";
import { element } from "./elements.js";

/** How long a page that was refused waits, in milliseconds. */
const RETRY = 5_000;

/** Takes what is new from the server. Every connection begins with all there is. */
export function follow(onUpdate: (update: Update) => void): void {
  // The address has the token that the server wants.
  const source = new EventSource(`events${location.search}`);
  source.addEventListener("update", ({ data }) => onUpdate(JSON.parse(data)));
  source.addEventListener("error", () => {
    element("live-status").textContent =
      "The page is not served at the moment; it shows what there was last.";
    // Refused, as where there are too many readers; else the browser tries again by itself.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => follow(onUpdate), RETRY);
  });
}

/** Shows how the run stands; nothing new is said where that is as before. */
export function showStatus({ status, progress }: Update): void {
  const shown = element("live-status");
  if (status !== undefined) shown.dataset.status = status;
  const now = shown.dataset.status ?? "";
  if (shown.textContent !== now) shown.textContent = now;
  if (progress !== undefined) element("live-progress").textContent = progress;
}

/** Shows the evaluations with the end that is new. */
export function showEvaluations({ evaluations }: Update): void {
  if (!evaluations) return;
  const body = element("evaluations-body");
  for (const child of [...body.children].slice(evaluations.from)) child.remove();
  body.insertAdjacentHTML("beforeend", evaluations.items.join(""));
  element("evaluations-count").textContent = String(body.children.length);
}
