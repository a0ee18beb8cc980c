// The variant of the core with caches: all that the other one has, and what the host calls for them.
export * from './index';
export { cacheLayoutOf, cachesLoaded, dropCaches, flushCaches, strikeLines } from './caches';
