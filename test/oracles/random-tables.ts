/**
 * Random page tables: a window of data pages with every kind of entry, and the
 * guest's code at three places (The RISC-V Instruction Set Manual, volume II, 4.3 to 4.5).
 */
import type { Random } from '../../engine/isa/random.test-support';

const V = 1n, R = 2n, W = 4n, X = 8n, U = 16n, A = 64n, D = 128n;

/** Where a space has the code: for supervisor mode at its physical address, then for user mode, then in pages of random permissions. */
export const aliases = { supervisor: 0x8000_0000n, user: 0xc000_0000n, pages: 0x1_0000_0000n } as const;
/**
 * And where it has data: windows of all kinds of entries, and the code's gigabyte once more, where
 * the data lies as far from the start as in memory. As physical addresses all of them are nowhere.
 * None is an alias's next gigabyte, where code goes that was in another alias than it thought: data is never executed. Nor does one begin where another ends.
 */
export const windows = { low: 8n << 30n, high: -(1n << 30n), gigabyte: 6n << 30n, terabyte: 1n << 39n } as const;
/** Bytes of code that the third alias has. */
export const aliasedBytes = 4 << 20;

const pageBytes = 4096n;
/**
 * Memory protection changes at multiples of so many pages only, and the page before such a place
 * is no data's: qemu 7.2 looks at an unaligned access's physical addresses as if they went on behind the page.
 */
export const protectedPages = 4;

/** The entries of a table of pages that are used. */
export const windowPages = 16;

/** What tables translate. Addresses are physical. */
export interface Layout {
  code: bigint;
  /** 2 MiB that start at a multiple of 2 MiB; leaves of 4 KiB lie in its first `pages`, a multiple of {@link protectedPages}. */
  data: bigint;
  pages: number;
  /** Where the tables are put. */
  tables: bigint;
}

/** One address space under both modes: the roots' page numbers. */
export interface Space {
  sv39: bigint;
  sv48: bigint;
}

export class RandomTables {
  readonly #pages: BigUint64Array[] = [];

  constructor(
    private readonly random: Random,
    private readonly layout: Layout,
  ) {}

  /** A table of pages that any entry may lead to. */
  #shared: BigUint64Array | undefined;

  bytes(): Uint8Array {
    const all = new BigUint64Array(this.#pages.length * 512);
    this.#pages.forEach((page, index) => all.set(page, index * 512));
    return new Uint8Array(all.buffer);
  }

  /** Physical addresses of entries which a guest may overwrite with {@link entry}: of pages, and of what has 512. */
  readonly entries = { pages: [] as bigint[], megapages: [] as bigint[] };

  space(): Space {
    const { layout } = this;
    const root = this.#page();
    const gigabyte = layout.code >> 12n;
    for (const index of [8, 511]) this.#set(root, index, this.#pointer(this.#window()));
    this.#set(root, 6, this.random.below(2) === 0 ? this.#leaf(gigabyte) : this.entry(18n));
    this.#set(root, 2, (gigabyte << 10n) | V | R | X | A | D);
    this.#set(root, 3, (gigabyte << 10n) | V | R | X | U | A | D);
    this.#set(root, 4, this.#pointer(this.#aliased()));
    const top = this.#page();
    for (const index of [0, 511]) this.#set(top, index, this.#pointer(root));
    this.#set(top, 1, this.#leaf(0n));
    return { sv39: this.#number(root), sv48: this.#number(top) };
  }

  /**
   * An entry as a leaf at a level whose pages have 2^shift 4-KiB pages, or something that is none.
   * None points to where no memory is: there qemu 7.2 has its own opinion of what failed (a table
   * that cannot be read is a page fault, an amo instruction a load, an unaligned address aligned).
   */
  entry(shift: bigint): bigint {
    const { random } = this;
    const flags = this.#flags();
    switch (random.below(16)) {
      case 0: return 0n;
      case 1: return flags & ~V;
      // Reserved bits, and those of Svnapot and Svpbmt, which are not there.
      case 2: return this.#at(shift) | flags | (1n << BigInt(random.below(2) === 0 ? 54 : 54 + random.below(10)));
      // Writable and not readable.
      case 3: return this.#at(shift) | ((flags | W) & ~R);
      // A pointer to pages, with bits that only leaves may have, or further down than there are levels.
      case 4: return (this.#shared ? this.#pointer(this.#shared) : 0n) | [0n, A, D, U][random.below(4)]!;
      // A large page that does not start at a multiple of its size.
      case 5: return this.#at(shift) | (1n << 10n) | flags;
      default: return this.#at(shift) | flags;
    }
  }

  #at(shift: bigint): bigint {
    const { layout, random } = this;
    const group = BigInt(random.below(layout.pages / protectedPages) * protectedPages);
    const page = shift === 0n ? (layout.data >> 12n) + group + BigInt(random.below(protectedPages - 1)) : ((layout.data >> 12n) >> shift) << shift;
    return page << 10n;
  }

  /** The flags of a valid leaf. Without R, W and X data would be taken for a table, and lead anywhere. */
  #flags(): bigint {
    const permissions = [R, X, R | W, R | W, R | X, R | W | X][this.random.below(6)] ?? 0n;
    // U, G, A, D, and two bits that are software's.
    return V | permissions | BigInt(this.random.below(1 << 6) << 4);
  }

  #leaf(page: bigint): bigint {
    return (page << 10n) | V | R | (this.random.below(4) === 0 ? 0n : W) | BigInt(this.random.below(1 << 5) << 4);
  }

  /** A table whose first entries are large pages, tables of pages, and everything else. */
  #window(): BigUint64Array {
    const table = this.#page();
    for (let index = 0; index < 8; index++) {
      const leaves = index < 3;
      this.#set(table, index, leaves ? this.#pointer(this.#leaves()) : this.entry(9n));
      if (!leaves) this.entries.megapages.push(this.#address(table) + BigInt(index) * 8n);
    }
    return table;
  }

  #leaves(): BigUint64Array {
    const table = this.#page();
    this.#shared ??= table;
    for (let index = 0; index < windowPages; index++) {
      this.#set(table, index, this.entry(0n));
      this.entries.pages.push(this.#address(table) + BigInt(index) * 8n);
    }
    return table;
  }

  /** The code, in pages that are mostly executable. */
  #aliased(): BigUint64Array {
    const { layout, random } = this;
    const table = this.#page();
    for (let megapage = 0; megapage < aliasedBytes >> 21; megapage++) {
      const pages = this.#page();
      for (let index = 0; index < 512; index++) {
        const page = (layout.code >> 12n) + BigInt(megapage * 512 + index);
        const flags = (random.below(12) === 0 ? 0n : X) | (random.below(2) === 0 ? R : 0n) | (random.below(2) === 0 ? U : 0n);
        this.#set(pages, index, (page << 10n) | V | flags | (random.below(16) === 0 ? 0n : A | D));
      }
      this.#set(table, megapage, this.#pointer(pages));
    }
    return table;
  }

  #page(): BigUint64Array {
    const page = new BigUint64Array(512);
    this.#pages.push(page);
    return page;
  }

  #set(table: BigUint64Array, index: number, entry: bigint): void {
    table[index] = entry;
  }

  #address(table: BigUint64Array): bigint {
    return this.layout.tables + BigInt(this.#pages.indexOf(table)) * pageBytes;
  }

  #number(table: BigUint64Array): bigint {
    return this.#address(table) >> 12n;
  }

  #pointer(table: BigUint64Array): bigint {
    return (this.#number(table) << 10n) | V;
  }
}
