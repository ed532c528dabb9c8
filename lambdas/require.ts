import { createRequire } from 'node:module';

/** CommonJS packages inside a bundle of ES modules ask for Node's own modules by `require`: this is theirs. */
Object.assign(globalThis, { require: createRequire(import.meta.url) });
