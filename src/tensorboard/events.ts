import { PbfWriter } from "pbf";
import type { Histogram } from "./histogram.js";

/** What is told of a step under one tag. */
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
  const pbf = new PbfWriter();
  pbf.writeDoubleField(1, event.wallTime);
  pbf.writeVarintField(2, event.step);
  if ("fileVersion" in event) pbf.writeStringField(3, event.fileVersion);
  else if ("begins" in event)
    pbf.writeMessage(7, (status, log) => log.writeVarintField(1, status), START);
  else pbf.writeMessage(5, writeSummaries, event.summaries);
  return pbf.finish();
}

function writeSummaries(summaries: readonly Summary[], pbf: PbfWriter): void {
  for (const summary of summaries) pbf.writeMessage(1, writeSummary, summary);
}

function writeSummary(summary: Summary, pbf: PbfWriter): void {
  pbf.writeStringField(1, summary.tag);
  if ("scalar" in summary) pbf.writeFloatField(2, summary.scalar);
  else if ("histogram" in summary) pbf.writeMessage(5, writeHistogram, summary.histogram);
  else {
    pbf.writeMessage(8, writeText, summary.text);
    pbf.writeMessage(9, writeMetadata, "text");
  }
}

function writeHistogram(histogram: Histogram, pbf: PbfWriter): void {
  const { least, most, count, sum, sumOfSquares, limits, counts } = histogram;
  for (const [k, value] of [least, most, count, sum, sumOfSquares].entries()) {
    pbf.writeDoubleField(k + 1, value);
  }
  pbf.writePackedDouble(6, [...limits]);
  pbf.writePackedDouble(7, [...counts]);
}

/** A tensor of one string. */
function writeText(text: string, pbf: PbfWriter): void {
  pbf.writeVarintField(1, STRING);
  const size = (value: number, dimension: PbfWriter) => dimension.writeVarintField(1, value);
  pbf.writeMessage(2, (value, shape) => shape.writeMessage(2, size, value), 1);
  pbf.writeBytesField(8, Buffer.from(text));
}

/** Who shows it. */
function writeMetadata(plugin: string, pbf: PbfWriter): void {
  pbf.writeMessage(1, (name, data) => data.writeStringField(1, name), plugin);
  pbf.writeVarintField(4, TENSOR);
}
