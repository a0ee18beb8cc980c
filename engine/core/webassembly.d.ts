/** The part of the WebAssembly interface that is used: the compiler's only other source of it is the whole DOM. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Memory<Kind extends ArrayBuffer | SharedArrayBuffer = SharedArrayBuffer> {
    constructor(descriptor: { initial: number; maximum: number } & (Kind extends SharedArrayBuffer ? { shared: true } : object));
    readonly buffer: Kind;
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, unknown>;
  }
}
