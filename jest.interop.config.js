import base from './jest.config.js';

/** Real engines and servers. Few files at a time: each may hold a Spark of 1.5 GB; most of the time is spent waiting for them. */
export default {
  ...base,
  testMatch: ['<rootDir>/test/interop/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  maxWorkers: 3,
  testTimeout: 240_000,
};
