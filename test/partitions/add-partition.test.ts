import { addPartition } from '../../src/partitions/add-partition.ts';
import type { PartitionPorts } from '../../src/partitions/ports.ts';
import { type AwsStandIn, Refusal, startAws } from './aws-stand-in.ts';
import { portsTo, tableOf } from './lake.ts';

let aws: AwsStandIn;
let ports: PartitionPorts & { close(): void };

beforeAll(async () => {
  aws = await startAws();
});
afterAll(async () => aws.stop());
beforeEach(() => {
  aws.reset();
  ports = portsTo(aws.endpoint);
  aws.addTable('consumer', tableOf('part_ids', ['snapshot_dt']));
});
afterEach(() => ports.close());

const FOLDER = 's3://raw/part_ids/snapshot_dt=2026-01-31/';
const add = (table = 'part_ids', folder = FOLDER) =>
  addPartition(ports, { database: 'consumer', table }, { values: ['2026-01-31'], folder });
const partitions = () => [...aws.databases.get('consumer')!.get('part_ids')!.partitions.values()];

test('one partition, and no folder is listed for it', async () => {
  aws.addFolders('s3://raw/part_ids', ['snapshot_dt=2025-12-31/', 'snapshot_dt=2026-01-31/']);
  await add();
  expect(partitions().map(({ Values, StorageDescriptor }) => [Values, StorageDescriptor?.Location])).toEqual([
    [['2026-01-31'], FOLDER],
  ]);
  expect(aws.calls).toEqual({ GetTables: 1, BatchCreatePartition: 1 });
});

test('again it changes nothing, unless the table has other columns by now', async () => {
  await add();
  aws.calls = {};
  await add();
  expect(aws.calls).toEqual({ GetTables: 1, BatchCreatePartition: 1, BatchGetPartition: 1 });
  const { table } = aws.databases.get('consumer')!.get('part_ids')!;
  table.StorageDescriptor!.Columns = [{ Name: 'id', Type: 'string' }];
  await add();
  expect(partitions()[0]!.StorageDescriptor!.Columns).toEqual([{ Name: 'id', Type: 'string' }]);
});

test('what cannot be registered is told with what was found', async () => {
  await expect(add('part_other')).rejects.toMatchObject({ kind: 'not_found' });
  await expect(add('part_ids', 's3://raw/elsewhere/snapshot_dt=2026-01-31/')).rejects.toThrow(
    'consumer.part_ids lies in s3://raw/part_ids/: expected its partition there, found s3://raw/elsewhere/',
  );
  aws.itemFault = () => ({ ErrorCode: 'InvalidInputException', ErrorMessage: 'no such type' });
  await expect(add()).rejects.toMatchObject({ kind: 'invalid', retryable: false });
  aws.itemFault = () => undefined;
  aws.before = (operation) => {
    if (operation === 'BatchCreatePartition') throw new Refusal('AccessDeniedException', 'not you');
  };
  await expect(add()).rejects.toThrow('not you');
});
