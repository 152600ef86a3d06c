/** The parts of WebAssembly that are used here: Node.js has them, but its type definitions lack them. */

export interface Memory {
  /** As long as the memory is when it is read. */
  readonly buffer: ArrayBufferLike;
  /** @throws RangeError where it can't grow by this many pages */
  grow(pages: number): number;
}

/** A module, compiled. */
type Module = object;

interface Instance {
  readonly exports: Readonly<Record<string, unknown>>;
}

interface Namespace {
  readonly Memory: new (size: {
    readonly initial: number;
    readonly maximum?: number;
    readonly shared?: boolean;
  }) => Memory;
  readonly Module: new (bytes: Uint8Array) => Module;
  readonly Instance: new (module: Module, imports: object) => Instance;
  readonly instantiate: (
    bytes: Uint8Array,
    imports: object,
  ) => Promise<{ readonly instance: Instance }>;
}

export const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Namespace };
