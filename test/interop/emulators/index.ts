export type { Emulator } from './emulator.ts';
export { type IcebergRest, startIcebergRest } from './iceberg-rest.ts';
export { type MiniStackOptions, startMiniStack } from './ministack.ts';
export { startMoto } from './moto.ts';
export { type Nessie, type NessieOptions, startNessie } from './nessie.ts';
export { type Seaweed, startSeaweed } from './seaweed.ts';
