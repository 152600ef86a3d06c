import { element } from "../../../report/page/script/elements.js";
import type { Answer, Request } from "./messages.js";

/** What the page holds beside its program; see `encodeHtml`. */
function held(id: string): string {
  return element(id).textContent ?? "";
}

/**
 * Starts the worker, whose program is in the page, and gives it the model.
 *
 * @param onAnswer gets all that it says
 * @returns says something to it
 */
export function startWorker(onAnswer: (answer: Answer) => void): (request: Request) => void {
  const program = new Blob([held("worker")], { type: "text/javascript" });
  const worker = new Worker(URL.createObjectURL(program));
  worker.onmessage = ({ data }: MessageEvent<Answer>) => onAnswer(data);
  worker.onerror = ({ message }) => onAnswer({ kind: "failed", message });
  const send = (request: Request) => worker.postMessage(request);
  const [model, weights, kernels] = ["model", "weights", "kernels"].map(held);
  send({ kind: "open", model, weights, kernels });
  return send;
}
