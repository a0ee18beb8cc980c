import { expect, it } from 'vitest';
import { entryOp } from '../translator/translator';
import { coreMemory, instantiateCore } from './core';
import { at, awaitedBytes, decodedBitmapOffset, decodedDropsOffset, decodedChancesOffset, decodedPageBytes, memoryPages, mostCalled, mostDecodedPages, ramHostAddress, translatedChances, mostTlbFaults, stateAt, stuckCsrBytes, stuckWordBytes, tlbStuckBytes, tlbWaitingBytes, tlbWrongBytes, uartPollerLooks, upsetBytes } from './layout';

it('is the resident core’s layout', () => {
  const pages = memoryPages(4096);
  const core = instantiateCore(coreMemory(pages), {
    virtioRead: () => 0,
    virtioWrite: () => undefined,
  });
  const ours = [
    stateAt,
    at.cycles,
    at.effects,
    at.outputRing,
    at.watchList,
    at.breakpoints,
    at.dirty,
    at.tohost,
    at.outputs,
    at.watches,
    at.virtio,
    at.virtioRaised,
    at.outputsFull,
    at.decodedPages,
    decodedPageBytes,
    at.dataTlb,
    at.sampling,
    at.hotVa,
    at.hotAt,
    at.fetchContext,
    at.translated,
    at.called,
    decodedBitmapOffset,
    mostCalled,
    entryOp,
    at.uartLooks,
    uartPollerLooks,
    decodedDropsOffset,
    at.fflags,
    at.frm,
    at.reservation,
    at.stuck,
    at.stuckWords,
    at.stuckInX,
    at.stuckX,
    at.stuckF,
    at.stuckAlu,
    at.stuckList,
    stuckWordBytes,
    at.directBytes,
    decodedChancesOffset,
    mostDecodedPages,
    translatedChances,
    at.wakeful,
    at.upsets,
    at.upsetsDone,
    at.upsetAt,
    at.upsetPc,
    at.upsetList,
    upsetBytes,
    at.awaited,
    at.awaitedList,
    awaitedBytes,
    at.rtcFromCore,
    at.interruptsFromCore,
    at.losesReservations,
    at.ownSeed,
    at.seenAt,
    at.lateAt,
    at.stuckUnits,
    at.stuckCsrs,
    at.stuckReads,
    at.tlbListed,
    at.tlbWaiting,
    at.tlbWrong,
    at.tlbStuck,
    at.tlbFaults,
    at.stuckUnitList,
    at.stuckCsrList,
    at.stuckReadList,
    at.tlbWaitingList,
    at.tlbWrongList,
    at.tlbStuckList,
    stuckCsrBytes,
    tlbWaitingBytes,
    tlbWrongBytes,
    mostTlbFaults,
    tlbStuckBytes,
    at.awaitedInX,
    at.seenAt + 8,
  ];
  expect(ours.map((_, index) => core.layoutOf(index))).toEqual(ours);
});

it('puts RAM behind the tables of its pages', () => {
  for (const ramBytes of [4096, 16 << 20, 256 << 20, 2 ** 31]) {
    const end = at.dirty + (ramBytes / 4096) * 14;
    expect(ramHostAddress(ramBytes)).toBeGreaterThanOrEqual(end);
    expect(memoryPages(ramBytes)).toBeLessThanOrEqual(65_536);
  }
});
