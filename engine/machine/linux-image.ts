import { LoadError } from './load-error';

/** What the header of a flat kernel says: Documentation/arch/riscv/boot-image-header.rst of Linux. */
export interface LinuxImage {
  /** Where the image wants to stand, from the start of RAM. */
  textOffset: number;
  /** Bytes of memory it needs from there on, with what follows its file. */
  memoryBytes: number;
}

/** Bytes kept for the device tree at the end of RAM, and its alignment. */
export const treeRoom = 2 ** 16;

const headerBytes = 64;
/** "RSC\x05", little-endian. */
const magic = 0x05435352;

/** Reads the header. Throws {@link LoadError}. */
export function readLinuxImage(image: Uint8Array): LinuxImage {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  if (image.length < headerBytes || view.getUint32(56, true) !== magic) {
    throw new LoadError('not a flat RISC-V Linux image (no header with its magic number): give the file boot/vmlinux-… of the kernel package, or arch/riscv/boot/Image of a build');
  }
  const textOffset = view.getBigUint64(8, true);
  const imageSize = view.getBigUint64(16, true);
  if (textOffset > 0x4000_0000n || textOffset % 4096n !== 0n || imageSize > 0x8000_0000n) {
    throw new LoadError('the header of the Linux image is damaged: its offset or its size makes no sense');
  }
  return { textOffset: Number(textOffset), memoryBytes: Math.max(Number(imageSize), image.length) };
}
