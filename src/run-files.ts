/** The files that charnn itself writes, by name and by how they begin. */

/** The checkpoint to go on from, and the one with the lowest validation loss. */
export const LAST = "last.safetensors";
export const BEST = "best.safetensors";
export const STEP_FILE = /^step-(\d+)\.safetensors$/;

/** Whether a file of this name is a checkpoint of the run in whose folder it is. */
export function isCheckpointName(name: string): boolean {
  return name === LAST || name === BEST || STEP_FILE.test(name);
}

/** In the head of every page of a report, within its first thousand bytes. */
export const PAGE_MARKER = '<meta name="generator" content="charnn">';
/** The same in the head of every page with a model that charnn exported. */
export const MODEL_PAGE_MARKER = '<meta name="generator" content="charnn export">';
/** The first line of every JavaScript module that charnn exported. */
export const JS_MARKER =
  "// A model by charnn that writes text: import { generate, next, score } from it.";
/** Near the beginning of every model in ONNX that charnn exported: its name, as that of the file's producer. */
export const ONNX_MARKER = "\x12\x06charnn";
/** Before it is the version of the format. */
const AT_ONNX_MARKER = 2;
/** Pages without the marker, which charnn wrote until version 0.1. */
const OLDER_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; script-src &#39;sha256-`;
/** Metrics, and what `--json` prints while a model is trained. */
const EVENTS =
  /^\{"event":"(?:warning|start|run|step|eval|sample|checkpoint|end|cross-validation)"[,}]/;

/** Behind the eight bytes of the header's length, which may be no text. */
const CHECKPOINT = /^[^{]{0,8}\{"__metadata__":\{"format":"\\"charnn-/;

/** Whether a file has the metrics of a run, or a page about runs, by its first thousand bytes. */
export function isOwnOutput(beginning: string): boolean {
  return isReport(beginning) || beginning.startsWith(OLDER_PAGE) || EVENTS.test(beginning);
}

/** What a file of charnn's is, by its first thousand bytes: `a checkpoint`; undefined for any other file. */
export function ownFileKind(beginning: string): string | undefined {
  if (CHECKPOINT.test(beginning)) return "a checkpoint";
  if (EVENTS.test(beginning)) return "the metrics of a run";
  if (isExport(beginning)) return "an exported model";
  if (isReport(beginning)) return "a report";
  return isOwnOutput(beginning) ? "a page by an older version of charnn" : undefined;
}

/** Whether a file belongs to a run, and can't be made again, by its first thousand bytes. */
export function isRunFile(beginning: string): boolean {
  return CHECKPOINT.test(beginning) || EVENTS.test(beginning);
}

function isReport(beginning: string): boolean {
  return beginning.startsWith("<!doctype html>") && beginning.includes(PAGE_MARKER);
}

function isExport(beginning: string): boolean {
  if (beginning.startsWith(JS_MARKER) || beginning.includes(MODEL_PAGE_MARKER)) return true;
  return beginning.indexOf(ONNX_MARKER) === AT_ONNX_MARKER;
}

/** Whether a folder with files of these names is that of a run. */
export function isRunFolder(names: readonly string[]): boolean {
  return names.some(isCheckpointName);
}
