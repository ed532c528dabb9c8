import base from './jest.config.js';

/** Real engines on the same tables. One file at a time: each may hold a Spark of 1.5 GB. */
export default {
  ...base,
  testMatch: ['<rootDir>/test/interop/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  maxWorkers: 1,
  testTimeout: 240_000,
};
