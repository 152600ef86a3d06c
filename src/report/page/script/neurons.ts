import { quotedOrNamed } from "./character-names.js";
import type { TextData } from "./data.js";
import { element } from "./elements.js";
import { walkText } from "./text-walk.js";

/** Lets a person choose the unit whose activations color the text, and go through it. */
export function showNeurons(text: TextData): void {
  const activations = Int8Array.from(atob(text.activations), (byte) => byte.charCodeAt(0));
  const box = element("neuron-text");
  const spans = [...box.querySelectorAll("span")];
  const field = element<HTMLInputElement>("unit");
  const status = element("neuron-status");
  const buttons = [...document.querySelectorAll<HTMLButtonElement>("button[data-unit]")];
  const unit = () => Math.min(Math.max(Math.trunc(Number(field.value)) || 0, 0), text.units - 1);
  const activationOf = (position: number) =>
    activations[unit() * text.characters.length + position] / 127;

  function colorByUnit(): void {
    for (const [position, span] of spans.entries()) {
      const value = activationOf(position);
      span.style.backgroundColor = `rgb(${value > 0 ? "230 120 0" : "0 114 220"} / ${Math.abs(value) * 0.6})`;
    }
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.unit) === unit()));
    }
  }

  walkText(box, spans, (position) => {
    const character = quotedOrNamed(text.characters[position]);
    status.textContent = `${character}; unit ${unit()} is ${activationOf(position).toFixed(2)}`;
  });
  field.addEventListener("input", colorByUnit);
  for (const button of buttons) {
    button.addEventListener("click", () => {
      field.value = button.dataset.unit ?? "0";
      colorByUnit();
    });
  }
  colorByUnit();
}
