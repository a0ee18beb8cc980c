import { coreWasm, detailedWasm } from './core.generated';

/** What the resident core exports: engine/core/assembly/index.ts. */
export interface CoreExports {
  run(stepOver: number): number;
  interruptDue(): number;
  reset(entry: bigint, harts: number): void;
  selectHart(hart: bigint): void;
  peekCsr(number: number): bigint;
  csrExists(number: number): number;
  csrAddress(number: number): number;
  receive(byte: number): number;
  hostWrote(address: bigint, size: number): void;
  deviceWrote(address: bigint, size: number): void;
  watchPages(): void;
  nextDirty(from: number): number;
  startSupervisor(): void;
  output(kind: number, value: number): void;
  lookAtSources(): void;
  nap(ticks: bigint): number;
  forget(): void;
  forgetCodeAt(address: bigint): void;
  forgetTranslations(): void;
  tlbFaultsChanged(): void;
  releaseStuck(): void;
  stick(): void;
  forceStuck(): void;
  layoutOf(index: number): number;
  codePage(va: bigint): number;
  decodeRecord(raw: number, record: number): number;
  /** The core's functions, and behind them those of translated code. */
  readonly table: { readonly length: number; grow(by: number): number; get(index: number): unknown; set(index: number, value: unknown): void };
}

/** What the variant of the core with caches exports besides: engine/core/assembly/caches.ts. */
export interface CacheExports {
  cacheLayoutOf(index: number): number;
  cachesLoaded(): void;
  dropCaches(): void;
  flushCaches(): void;
  strikeLines(): void;
}

/** What the resident core calls: engine/core/assembly/virtio.ts. */
export interface CoreImports {
  virtioRead(slot: number, offset: number, size: number): number;
  virtioWrite(slot: number, offset: number, size: number, value: number): void;
}

/** A memory for a core, shared so that several threads can have instances on it. All of a machine's state is in it. */
export function coreMemory(pages: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

const compiled = new Map<string, WebAssembly.Module>();

/** The core's code, compiled once; `detailed`: the variant with caches, which exports {@link CacheExports}, too. */
export function coreModule(detailed = false): WebAssembly.Module {
  const code = detailed ? detailedWasm : coreWasm;
  let module = compiled.get(code);
  if (!module) compiled.set(code, (module = new WebAssembly.Module(Buffer.from(code, 'base64'))));
  return module;
}

/** A core of its own on `memory`. */
export function instantiateCore(memory: WebAssembly.Memory, devices: CoreImports, module = coreModule()): CoreExports {
  const imports = {
    env: {
      memory,
      ...devices,
      // The compiler imports it for assertions; the core is built without any.
      abort: () => {
        throw new Error('the resident core was aborted');
      },
    },
  };
  return new WebAssembly.Instance(module, imports).exports as unknown as CoreExports;
}
