/** Packages that ship ES modules only: transformed, where the rest of node_modules is loaded as it is. */
const esmPackages = [
  'hyparquet',
  'hyparquet-writer',
  'hyparquet-compressors',
  'hysnappy',
  'fzstd',
  'chokidar',
  'readdirp',
  'p-limit',
  'yocto-queue',
];

export default {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/interop/'],
  // Far beyond what any test takes: a busy machine is no fault of theirs.
  testTimeout: 60_000,
  testSequencer: '<rootDir>/test/longest-first.cjs',
  setupFiles: ['<rootDir>/test/property-seed.ts'],
  transform: {
    '\\.[jt]s$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esmPackages.join('|')})/)`],
};
