/** A one-segment RISC-V ELF executable around raw bytes, loaded and entered at `address`. */
export function makeElf(address: bigint, bytes: Uint8Array): Uint8Array {
  const headerBytes = 64 + 56;
  const file = Buffer.alloc(headerBytes + bytes.length);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0); // 64 bits, little-endian
  file.writeUInt16LE(2, 16); // ET_EXEC
  file.writeUInt16LE(243, 18); // EM_RISCV
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(address, 24); // e_entry
  file.writeBigUInt64LE(64n, 32); // e_phoff
  file.writeUInt32LE(5, 48); // e_flags: RVC, double-float ABI
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56); // e_phnum
  file.writeUInt32LE(1, 64); // PT_LOAD
  file.writeUInt32LE(7, 68); // read, write, execute
  file.writeBigUInt64LE(BigInt(headerBytes), 72);
  file.writeBigUInt64LE(address, 80);
  file.writeBigUInt64LE(address, 88);
  file.writeBigUInt64LE(BigInt(bytes.length), 96);
  file.writeBigUInt64LE(BigInt(bytes.length), 104);
  file.writeBigUInt64LE(4n, 112);
  file.set(bytes, headerBytes);
  return file;
}
