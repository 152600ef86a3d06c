import { createHash } from "node:crypto";
import { Html, html } from "../../report/page/html.js";
import { levels } from "../../report/page/sections/surprisal.js";
import { MODEL_PAGE_MARKER } from "../../run-files.js";
import { version } from "../../version.js";
import type { Fact } from "../model-card.js";
import { STYLE } from "./style.js";

/** What a page holds. */
export interface PageParts {
  /** Of the model. */
  readonly name: string;
  readonly card: readonly Fact[];
  /** The model, in JSON. */
  readonly model: string;
  /** Compressed, in base64. */
  readonly weights: string;
  readonly kernels: string;
  /** The script of the page, and the program of its worker. */
  readonly script: string;
  readonly worker: string;
}

/** The whole page, in one file that needs nothing else. */
export function modelPage(parts: PageParts): string {
  const { name, card, model, weights, kernels, script, worker } = parts;
  const policy = [
    "default-src 'none'",
    `style-src ${hashOf(STYLE)}`,
    `script-src ${hashOf(script)} 'wasm-unsafe-eval'`,
    "worker-src blob:",
    // An icon of nothing, so that no browser asks for another.
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${new Html(MODEL_PAGE_MARKER)}
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${name}</title>
<link rel="icon" href="data:,">
<style>${new Html(STYLE)}</style>
</head>
<body>
<header>
<h1>${name}</h1>
<p class="quiet screen">A neural network that writes text character by character. It runs in this page: nothing that you
type leaves it.</p>
</header>
<main>
${writer()}
${next()}
${how()}
${about(card)}
</main>
<footer class="quiet">Made by charnn ${version()}.</footer>
<script type="application/json" id="model">${inScript(model)}</script>
<script type="text/plain" id="weights">${new Html(weights)}</script>
<script type="text/plain" id="kernels">${new Html(kernels)}</script>
<script type="text/plain" id="worker">${inScript(worker)}</script>
<script>${inScript(script)}</script>
</body>
</html>
`.text;
}

function writer(): Html {
  return html`<section id="writer">
<h2><label for="text">Text</label></h2>
<div id="editor"><div id="shown" aria-hidden="true"></div><textarea id="text" rows="1" spellcheck="false" autocomplete="off" autocapitalize="off" aria-describedby="keys" placeholder="Begin a text, or let the model begin it."></textarea></div>
<div class="row-of screen"><button type="button" id="write" disabled>Write on</button><button type="button" id="undo">Undo</button><button type="button" id="copy">Copy</button><p id="status" role="status">Opening the model</p></div>
<p class="quiet screen" id="keys"><kbd>Tab</kbd> takes the likeliest character. <kbd>Ctrl</kbd>+<kbd>Enter</kbd> writes on, and
stops. <kbd>Escape</kbd>, then <kbd>Tab</kbd>, leaves the text box.</p>
</section>`;
}

function how(): Html {
  return html`<section id="how" class="screen" aria-labelledby="how-title">
<h2 id="how-title">How to write</h2>
${settings()}
<div><label><input type="checkbox" id="colours" checked> Colour each character by its surprisal</label>
<p class="quiet levels">${levels()}</p></div>
</section>`;
}

function settings(): Html {
  return html`<form id="settings" aria-labelledby="how-title">
${slider("temperature", "Temperature", { max: "2", step: "0.05", value: "0.8" })}
${slider("top-p", "Top-p", { min: "0.01", max: "1", step: "0.01", value: "1" })}
${slider("min-p", "Min-p", { max: "0.5", step: "0.01", value: "0" })}
<label><span class="quiet">Characters</span><input type="number" id="length" min="1" max="1000000" value="500" required></label>
<div><label><span class="quiet">Random seed</span><input type="number" id="seed" min="0" max="${Number.MAX_SAFE_INTEGER}" required></label>
<label><input type="checkbox" id="new-seed" checked> new each time</label></div>
</form>`;
}

function slider(
  id: string,
  name: string,
  range: { min?: string; max: string; step: string; value: string },
): Html {
  const { min = "0", max, step, value } = range;
  return html`<label for="${id}"><span class="quiet"><span>${name}</span><span id="${id}-value">${value}</span></span><input type="range" id="${id}" min="${min}" max="${max}" step="${step}" value="${value}"></label>`;
}

function next(): Html {
  return html`<section id="next" aria-labelledby="expected-title">
<h2 id="expected-title">Next character</h2>
<p id="place" class="quiet">Point at a character of the text to see what was expected there.</p>
<ol id="expected"></ol>
<h3>Depends most on</h3>
<p class="quiet" id="depends-none">No earlier character matters here.</p>
<ol id="depends"></ol>
</section>`;
}

function about(card: readonly Fact[]): Html {
  return html`<section id="about" aria-labelledby="about-title">
<h2 id="about-title">About this model</h2>
<dl>${card.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
</section>`;
}

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/** A text in a script element, which it can't end, and whose end it can't hide. */
function inScript(text: string): Html {
  if (/<(?:\/script|!--)/i.test(text)) throw new Error("The text can't stand in a script element.");
  return new Html(text);
}
