import { expect, it } from 'vitest';
import { cacheAt } from './cache-layout';
import { coreMemory, coreModule, instantiateCore, type CacheExports } from './core';
import { at, memoryPages } from './layout';

it('is the layout of the core’s variant with caches', () => {
  const devices = { virtioRead: () => 0, virtioWrite: () => undefined };
  const core = instantiateCore(coreMemory(memoryPages(4096)), devices, coreModule(true)) as unknown as CacheExports;
  const ours = [
    cacheAt.events, cacheAt.armedLines, cacheAt.armedMessages, cacheAt.worst, cacheAt.l1i, cacheAt.l1d, cacheAt.l2, cacheAt.l2Banks, cacheAt.controllers,
    cacheAt.banksAt, cacheAt.routesAt, cacheAt.messageList, cacheAt.lineList, cacheAt.eventList, cacheAt.pendingList, at.caches, cacheAt.lastFetch, cacheAt.hung,
  ];
  expect(ours.map((_, i) => core.cacheLayoutOf(i))).toEqual(ours);
  expect(core.cacheLayoutOf(ours.length)).toBe(0);
});
