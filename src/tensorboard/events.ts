import { Message } from "../protobuf.js";
import type { Histogram } from "./histogram.js";

/** What is reported of a step under one tag. */
export type Summary = { readonly tag: string } & (
  | { readonly scalar: number }
  | { readonly text: string }
  | { readonly histogram: Histogram }
);

/** When something happened, and what. */
export type TensorBoardEvent = {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
} & (
  | { readonly fileVersion: string }
  /** A process begins to write; what others have told of this step and later ones is void. */
  | { readonly begins: true }
  | { readonly summaries: readonly Summary[] }
);

/** Of `SessionLog.SessionStatus`, `DataType` and `DataClass`. */
const START = 1;
const STRING = 7;
const TENSOR = 2;

/**
 * An event as TensorBoard reads it: the message `Event` of TensorFlow's `event.proto`, and those of
 * `summary.proto` and `tensor.proto` in it. The numbers are those of their fields.
 */
export function encodeEvent(event: TensorBoardEvent): Uint8Array {
  const message = new Message().double(1, event.wallTime).varint(2, event.step);
  if ("fileVersion" in event) message.text(3, event.fileVersion);
  else if ("begins" in event) message.message(7, new Message().varint(1, START));
  else {
    const summaries = new Message();
    for (const summary of event.summaries) summaries.message(1, messageOf(summary));
    message.message(5, summaries);
  }
  return message.encoded();
}

function messageOf(summary: Summary): Message {
  const message = new Message().text(1, summary.tag);
  if ("scalar" in summary) return message.float(2, summary.scalar);
  if ("histogram" in summary) return message.message(5, histogramMessage(summary.histogram));
  return message.message(8, textTensor(summary.text)).message(9, shownBy("text"));
}

function histogramMessage(histogram: Histogram): Message {
  const { least, most, count, sum, sumOfSquares, limits, counts } = histogram;
  const message = new Message();
  for (const [k, value] of [least, most, count, sum, sumOfSquares].entries()) {
    message.double(k + 1, value);
  }
  return message.doubles(6, limits).doubles(7, counts);
}

/** A tensor of one string. */
function textTensor(text: string): Message {
  const size = new Message().varint(1, 1);
  return new Message().varint(1, STRING).message(2, new Message().message(2, size)).text(8, text);
}

/** Metadata that names the plugin of TensorBoard's for a value. */
function shownBy(plugin: string): Message {
  return new Message().message(1, new Message().text(1, plugin)).varint(4, TENSOR);
}
