/**
 * The guest's network: the addresses that QEMU's user-mode network has, so that
 * images made for it work (QEMU documentation, "Using the user mode network stack").
 */

/** An IPv4 address as a number. */
export type Address = number;

export const gateway: Address = address(10, 0, 2, 2);
export const nameServer: Address = address(10, 0, 2, 3);
export const guestAddress: Address = address(10, 0, 2, 15);
export const netmask: Address = address(255, 255, 255, 0);
export const broadcast: Address = address(255, 255, 255, 255);

/** Of the guest's card, and of everything at the other end of its cable. Both are locally administered. */
export const guestMac = Uint8Array.of(0x52, 0x54, 0x00, 0x12, 0x34, 0x56);
export const gatewayMac = Uint8Array.of(0x52, 0x55, 0x0a, 0x00, 0x02, 0x02);

function address(a: number, b: number, c: number, d: number): Address {
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}
