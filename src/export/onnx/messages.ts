/**
 * The messages of ONNX that a model needs, as `onnx.proto` defines them
 * (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). The numbers are those of their fields.
 */
import { Message } from "../../protobuf.js";

/** Of `TensorProto.DataType`. */
const FLOAT = 1;
const INT64 = 7;
/** Of `AttributeProto.AttributeType`. */
const INT = 2;
const INTS = 7;

/** The length of an axis, or a name for one that may have any. */
type Axis = number | string;

/** A number or a list of numbers, all of them whole. */
type Attribute = number | readonly number[];

/** An operation: what goes in and what comes out, by name. */
export interface Node {
  /** ONNX's name of it. */
  readonly type: string;
  /** Empty where one is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** A constant. */
export interface Constant {
  readonly name: string;
  readonly shape: readonly number[];
  /** One piece after the other. */
  readonly data: readonly Float32Array[] | readonly BigInt64Array[];
}

/** An input or output of the whole graph. */
export interface Value {
  readonly name: string;
  readonly type: "float" | "int64";
  readonly shape: readonly Axis[];
}

interface Graph {
  readonly name: string;
  /** Each after those whose outputs it needs. */
  readonly nodes: readonly Node[];
  readonly constants: readonly Constant[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

/** A model, and what it says of itself. */
export interface OnnxModel {
  /** Of the format. */
  readonly irVersion: number;
  /** Of the set of operations. */
  readonly opset: number;
  readonly producer: { readonly name: string; readonly version: string };
  readonly description: string;
  readonly graph: Graph;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The bytes of a file, in pieces. Those of large constants are the constants' own. */
export function encodeModel(model: OnnxModel): readonly Uint8Array[] {
  const message = new Message()
    .varint(1, model.irVersion)
    .text(2, model.producer.name)
    .text(3, model.producer.version)
    .text(6, model.description)
    .message(7, graphMessage(model.graph))
    .message(8, new Message().text(1, "").varint(2, model.opset));
  for (const [key, value] of Object.entries(model.metadata)) {
    message.message(14, new Message().text(1, key).text(2, value));
  }
  return message.encodedPieces();
}

function graphMessage({ name, nodes, constants, inputs, outputs }: Graph): Message {
  const message = new Message();
  for (const node of nodes) message.message(1, nodeMessage(node));
  message.text(2, name);
  for (const constant of constants) message.message(5, tensorMessage(constant));
  for (const input of inputs) message.message(11, valueMessage(input));
  for (const output of outputs) message.message(12, valueMessage(output));
  return message;
}

function nodeMessage({ type, inputs, outputs, attributes = {} }: Node): Message {
  const message = new Message();
  for (const input of inputs) message.text(1, input);
  for (const output of outputs) message.text(2, output);
  // Outputs have names of their own, so nodes do too.
  message.text(3, outputs[0]).text(4, type);
  for (const [name, value] of Object.entries(attributes)) {
    message.message(5, attributeMessage(name, value));
  }
  return message;
}

function attributeMessage(name: string, value: Attribute): Message {
  const message = new Message().text(1, name);
  if (typeof value === "number") return message.varint(3, value).varint(20, INT);
  for (const item of value) message.varint(8, item);
  return message.varint(20, INTS);
}

function tensorMessage({ name, shape, data }: Constant): Message {
  const message = new Message();
  for (const length of shape) message.varint(1, length);
  const pieces = data.map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  return message
    .varint(2, data[0] instanceof Float32Array ? FLOAT : INT64)
    .text(8, name)
    .pieces(9, pieces);
}

function valueMessage({ name, type, shape }: Value): Message {
  const axes = new Message();
  for (const axis of shape) {
    const length = new Message();
    axes.message(1, typeof axis === "number" ? length.varint(1, axis) : length.text(2, axis));
  }
  const tensor = new Message().varint(1, type === "float" ? FLOAT : INT64).message(2, axes);
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}
