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
  #length = 0;

  /** @param value a whole number from 0 */
  varint(field: number, value: number): this {
    return this.#add(field, VARINT, varint(value));
  }

  float(field: number, value: number): this {
    return this.#add(field, THIRTY_TWO_BITS, new Uint8Array(Float32Array.of(value).buffer));
  }

  double(field: number, value: number): this {
    return this.#add(field, SIXTY_FOUR_BITS, new Uint8Array(Float64Array.of(value).buffer));
  }

  doubles(field: number, values: readonly number[] | Float64Array): this {
    return this.bytes(field, new Uint8Array(Float64Array.from(values).buffer));
  }

  text(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value));
  }

  /** @param value is complete, and shares its bytes with this message: large ones are not copied */
  message(field: number, value: Message): this {
    return this.#add(field, LENGTH_DELIMITED, varint(value.#length), value.#parts);
  }

  bytes(field: number, value: Uint8Array): this {
    return this.pieces(field, [value]);
  }

  /** Bytes in several pieces, none of which is copied. */
  pieces(field: number, values: readonly Uint8Array[]): this {
    const length = values.reduce((sum, value) => sum + value.length, 0);
    return this.#add(field, LENGTH_DELIMITED, varint(length), values);
  }

  /** What {@link encoded} puts together. */
  encodedPieces(): readonly Uint8Array[] {
    return this.#parts;
  }

  encoded(): Uint8Array {
    return Buffer.concat(this.#parts, this.#length);
  }

  #add(field: number, type: number, first: Uint8Array, others: readonly Uint8Array[] = []): this {
    this.#append(varint(field * 8 + type));
    this.#append(first);
    for (const part of others) this.#append(part);
    return this;
  }

  #append(part: Uint8Array): void {
    this.#parts.push(part);
    this.#length += part.length;
  }
}

/** Seven bits a byte, the lowest first; all but the last have the highest bit set. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  return Uint8Array.from([...bytes, rest]);
}
