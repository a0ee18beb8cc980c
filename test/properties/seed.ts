/**
 * What every test file begins with: properties draw the same inputs in each run, unless `COVERT_SEED` says others. What is found by
 * chance belongs into a long run (`npm run properties`), not between a change and its landing. No property has a seed of its own, which would go before it.
 */
import process from 'node:process';
import fc from 'fast-check';

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env['COVERT_SEED'] ?? 1) });
