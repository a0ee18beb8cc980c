import { pageBytes } from '../../core/layout';

const word = { count: 0, next: 1, differ: 2 } as const;
const headBytes = 16;
/** Pages that are taken at once. */
const portion = 64;

/** Whether two RAMs hold the same in some pages, whose indexes ascend. */
export function comparePages(a: Buffer, b: Buffer, pages: readonly number[] | Uint32Array): boolean {
  for (let i = 0, next = 0; i < pages.length; i = next) {
    const first = pages[i] ?? 0;
    // Those in a row at once.
    for (next = i + 1; next < pages.length && pages[next] === first + next - i; ) next++;
    const [from, end] = [first * pageBytes, (first + next - i) * pageBytes];
    if (a.compare(b, from, end, from, end) !== 0) return false;
  }
  return true;
}

/**
 * A comparison of pages that two threads work at together: each takes the next few pages until none are left. It lies in shared
 * memory, and whose turn it is to do what is agreed on elsewhere: `begin` before, `equal` after both have worked.
 */
export class PageComparison {
  readonly #words: Int32Array;
  readonly #pages: Uint32Array;

  /** Of RAMs with so many pages; or another thread's. */
  constructor(pages: number, readonly shared = new SharedArrayBuffer(headBytes + 4 * pages)) {
    this.#words = new Int32Array(shared, 0, headBytes / 4);
    this.#pages = new Uint32Array(shared, headBytes);
  }

  begin(pages: readonly number[]): void {
    this.#pages.set(pages);
    this.#words.set([pages.length, 0, 0]);
  }

  work(a: Buffer, b: Buffer): void {
    const count = this.#words[word.count] ?? 0;
    for (;;) {
      const from = Atomics.add(this.#words, word.next, portion);
      if (from >= count || Atomics.load(this.#words, word.differ) !== 0) return;
      if (!comparePages(a, b, this.#pages.subarray(from, Math.min(count, from + portion)))) Atomics.store(this.#words, word.differ, 1);
    }
  }

  get equal(): boolean {
    return Atomics.load(this.#words, word.differ) === 0;
  }
}
