const VARINT = 0;
const SIXTY_FOUR_BITS = 1;
const LENGTH_DELIMITED = 2;
const THIRTY_TWO_BITS = 5;

/**
 * A message of Protocol Buffers, written field after field (https://protobuf.dev/programming-guides/encoding/).
 * Fields are named by their numbers.
 */
export class Message {
  readonly #parts: Uint8Array[] = [];

  /** @param value a whole number from 0 */
  varint(field: number, value: number): this {
    this.#key(field, VARINT);
    this.#parts.push(varint(value));
    return this;
  }

  float(field: number, value: number): this {
    this.#key(field, THIRTY_TWO_BITS);
    this.#parts.push(new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }

  double(field: number, value: number): this {
    this.#key(field, SIXTY_FOUR_BITS);
    this.#parts.push(new Uint8Array(Float64Array.of(value).buffer));
    return this;
  }

  doubles(field: number, values: readonly number[] | Float64Array): this {
    return this.bytes(field, new Uint8Array(Float64Array.from(values).buffer));
  }

  text(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value));
  }

  message(field: number, value: Message): this {
    return this.bytes(field, value.encoded());
  }

  bytes(field: number, value: Uint8Array): this {
    this.#key(field, LENGTH_DELIMITED);
    this.#parts.push(varint(value.length), value);
    return this;
  }

  encoded(): Uint8Array {
    return Buffer.concat(this.#parts);
  }

  #key(field: number, type: number): void {
    this.#parts.push(varint(field * 8 + type));
  }
}

/** Seven bits a byte, the lowest first; all but the last have the highest bit set. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  return Uint8Array.from([...bytes, rest]);
}
