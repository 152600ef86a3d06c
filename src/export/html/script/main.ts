/** The script of an exported page: a text box, what the model expects in it, and what it writes. */
import { quotedOrNamed } from "../../../report/page/script/character-names.js";
import { element } from "../../../report/page/script/elements.js";
import { Editor } from "./editor.js";
import { type Change, History } from "./history.js";
import type { Answer, Dependence, Expected } from "./messages.js";
import { startWorker } from "./model-worker.js";
import { PredictionPanel } from "./prediction-panel.js";
import { SettingsForm } from "./settings.js";

/** What changes a prediction by less, in bits, is not worth showing. */
const LEAST_DEPENDENCE = 0.02;
/** Milliseconds without typing after which characters are named that the model does not know. */
const UNTIL_UNKNOWN = 1_000;

const editor = new Editor();
const { box } = editor;
const history = new History();
const form = new SettingsForm();
const prediction = new PredictionPanel(take);
const [writeButton, undoButton, copyButton] = ["write", "undo", "copy"].map((id) =>
  element<HTMLButtonElement>(id),
);
const send = startWorker(answer);

let isOpen = false;
let isWriting = false;
/** Counts the texts that were given to be read. */
let revision = 0;
let isRead = false;
/** Where the pointer is in the text. */
let pointed: number | undefined;
/** The place that is looked at. */
let looked: number | undefined;
/** Whether the next Tab leaves the text box. */
let isLeaving = false;
let undoAtEnd = false;
let unknownTimer = 0;
let unknownSaid = "";

function say(message: string): void {
  const status = element("status");
  if (status.textContent !== message) status.textContent = message;
}

function answer(message: Answer): void {
  switch (message.kind) {
    case "opened":
      isOpen = true;
      writeButton.disabled = false;
      say("");
      read();
      break;
    case "bits":
      if (message.revision !== revision) break;
      editor.colour(message.bits);
      if (!message.isAll) break;
      isRead = true;
      nameUnknown();
      look();
      break;
    case "next":
      if (message.revision !== revision || message.place !== looked) break;
      showExpected(message.place, message.expected);
      break;
    case "depends":
      if (message.revision !== revision || message.place !== looked) break;
      showDepends(message.place, message.depends);
      prediction.isBusy = false;
      break;
    case "written":
      editor.append(message.text, message.bits);
      // After the next frame: so that the page also has time for who uses it.
      requestAnimationFrame(() => setTimeout(() => send({ kind: "shown" })));
      break;
    case "ended":
      ended(message);
      break;
    case "failed":
      if (isWriting) finishWriting();
      say(`The model can't be used here: ${message.message}`);
  }
}

/** Has the model read the text as it is now. */
function read(): void {
  revision++;
  isRead = false;
  looked = undefined;
  prediction.isBusy = true;
  editor.mark([]);
  if (isOpen && !isWriting) send({ kind: "read", text: editor.text, revision });
}

/** Looks at the character under the pointer, or else at the caret. */
function look(): void {
  const place = pointed ?? editor.caret;
  if (!isRead || isWriting || place === looked) return;
  looked = place;
  prediction.isBusy = true;
  editor.mark([]);
  send({ kind: "look", place });
}

function showExpected(place: number, expected: readonly Expected[]): void {
  const bits = editor.bitsAt(place);
  if (pointed !== undefined && bits !== undefined) {
    prediction.showCame(expected, editor.characterAt(place), bits);
  } else prediction.showNext(expected, place === editor.text.length);
}

function showDepends(place: number, all: readonly Dependence[]): void {
  const depends = all.filter(({ bits }) => bits >= LEAST_DEPENDENCE);
  editor.mark(depends);
  prediction.showDepends(depends, editor.text, place);
}

/** Says which characters the model does not know, once typing rests. */
function nameUnknown(): void {
  clearTimeout(unknownTimer);
  const names = editor.unknown.map(quotedOrNamed).join(", ");
  if (names === "") unknownSaid = "";
  if (names === unknownSaid) return;
  unknownTimer = setTimeout(() => {
    unknownSaid = names;
    say(`The model does not know ${names}, and reads on as if it were not there.`);
  }, UNTIL_UNKNOWN);
}

function keep(change: Change): void {
  history.keep(editor.version, change);
}

/** Puts a character into the text, as if it had been typed. */
function take(character: string): void {
  if (isWriting) return;
  keep("taken");
  editor.insert(character);
  read();
  // A screen reader does not say what a script puts into a text box.
  say(`Took ${quotedOrNamed(character)}.`);
}

function startWriting(): void {
  const settings = form.settings();
  if (!isOpen || !settings) return;
  keep("written");
  setWriting(true);
  read();
  say("Writing");
  send({ kind: "write", text: editor.text, settings });
}

function setWriting(value: boolean): void {
  isWriting = value;
  box.readOnly = value;
  writeButton.textContent = value ? "Stop" : "Write on";
}

function finishWriting(): void {
  editor.finish();
  setWriting(false);
}

function ended({ why, characters, seconds }: Answer & { kind: "ended" }): void {
  finishWriting();
  const count = `${characters.toLocaleString("en")} character${characters === 1 ? "" : "s"}`;
  const speed = Math.round(characters / seconds).toLocaleString("en");
  if (why === "document") {
    say(
      characters === 0
        ? "The text ends here, says the model."
        : `The text has ended after ${count}.`,
    );
  } else say(`${why === "stopped" ? "Stopped after" : "Wrote"} ${count}, ${speed} a second.`);
  if (undoAtEnd) undo();
  else read();
  undoAtEnd = false;
}

function toggleWriting(): void {
  if (isWriting) send({ kind: "stop" });
  else startWriting();
}

function undo(): void {
  if (isWriting) {
    undoAtEnd = true;
    send({ kind: "stop" });
    return;
  }
  const version = history.undo(editor.version);
  if (version) restore(version);
  else say("There is nothing to undo.");
}

function restore(version: ReturnType<History["undo"]>): void {
  if (!version) return;
  editor.show(version);
  read();
}

async function copy(): Promise<void> {
  const done = await navigator.clipboard.writeText(editor.text).then(
    () => true,
    () => {
      box.select();
      return document.execCommand("copy");
    },
  );
  const count = Array.from(editor.text).length.toLocaleString("en");
  say(done ? `Copied ${count} characters.` : "The browser does not let the page copy.");
}

box.addEventListener("beforeinput", (event) => {
  if (event.inputType === "historyUndo" || event.inputType === "historyRedo") {
    event.preventDefault();
    if (event.inputType === "historyUndo") undo();
    else restore(history.redo(editor.version));
  } else keep("typed");
});
box.addEventListener("input", () => {
  editor.readBox();
  read();
});
box.addEventListener("keydown", (event) => {
  const { key, shiftKey, altKey, isComposing } = event;
  if (isComposing) return;
  const isCommand = (event.ctrlKey || event.metaKey) && !altKey;
  const act = (action: () => void) => {
    event.preventDefault();
    action();
  };
  if (key === "Tab" && !shiftKey && !altKey && !isCommand) {
    const { likeliest } = prediction;
    if (isLeaving || isWriting || likeliest === undefined || !isRead) return;
    act(() => take(likeliest));
  } else if (key === "Escape") {
    if (isWriting) send({ kind: "stop" });
    isLeaving = true;
    say("Tab now leaves the text box.");
  } else if (key === "Enter" && isCommand) act(toggleWriting);
  else if (key.toLowerCase() === "z" && isCommand && !shiftKey) act(undo);
  else if ((key.toLowerCase() === "z" || key === "y") && isCommand) {
    act(() => restore(history.redo(editor.version)));
  } else if (key !== "Shift" && key !== "Tab") isLeaving = false;
});
box.addEventListener("blur", () => {
  isLeaving = false;
});
document.addEventListener("selectionchange", () => {
  if (document.activeElement === box) look();
});
const point = (place: number | undefined) => {
  if (place === pointed) return;
  pointed = place;
  looked = undefined;
  look();
};
element("editor").addEventListener("pointermove", ({ pointerType, clientX, clientY }) => {
  if (pointerType !== "touch") point(editor.placeAt(clientX, clientY));
});
element("editor").addEventListener("pointerleave", () => point(undefined));
writeButton.addEventListener("click", toggleWriting);
undoButton.addEventListener("click", undo);
copyButton.addEventListener("click", () => void copy());
element("colours").addEventListener("change", ({ target }) => {
  element("editor").classList.toggle("plain", !(target as HTMLInputElement).checked);
});
