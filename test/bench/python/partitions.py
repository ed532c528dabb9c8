"""One measured run of what people use for partitions instead; prints one line of JSON with what it cost.

usage: partitions.py boto3|msck|wrangler ENDPOINT WORLD.json
"""

import json
import resource
import sys
import time

import boto3
from botocore.config import Config

flow, endpoint, path = sys.argv[1:]
world = json.load(open(path))
keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
config = Config(retries={"mode": "standard"}, s3={"addressing_style": "path"})


def client(name):
    return boto3.client(name, endpoint_url=endpoint, config=config, **keys)


def partition_input(table, values, prefix):
    descriptor = dict(table["StorageDescriptor"])
    descriptor["Location"] = descriptor["Location"].rstrip("/") + "/" + prefix
    return {"Values": values, "StorageDescriptor": descriptor}


def create(glue, table, inputs):
    for start in range(0, len(inputs), 100):
        answer = glue.batch_create_partition(
            DatabaseName=table["DatabaseName"], TableName=table["Name"], PartitionInputList=inputs[start : start + 100]
        )
        faults = [e for e in answer.get("Errors", []) if e["ErrorDetail"]["ErrorCode"] != "AlreadyExistsException"]
        assert not faults, faults
    return len(inputs)


def values_of(prefix):
    return [level.split("=", 1)[1] for level in prefix.rstrip("/").split("/")]


def folders(s3, bucket, root, depth):
    """Prefixes of a table by delimiter, all pages, level by level."""
    level = [root]
    for _ in range(depth):
        found = []
        for prefix in level:
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/"):
                found += [each["Prefix"] for each in page.get("CommonPrefixes", [])]
        level = found
    return [prefix[len(root) :] for prefix in level]


def folders_of_objects(s3, bucket, root, depth):
    """As MSCK REPAIR TABLE does it: every object under the table."""
    found = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=root):
        for each in page.get("Contents", []):
            found["/".join(each["Key"][len(root) :].split("/")[:depth]) + "/"] = None
    return list(found)


def reconcile(find):
    glue, s3 = client("glue"), client("s3")
    created = 0
    for databases in glue.get_paginator("get_databases").paginate():
        for database in databases["DatabaseList"]:
            if flow == "msck" and database["Name"] not in world["sample"]:
                continue
            for tables in glue.get_paginator("get_tables").paginate(DatabaseName=database["Name"]):
                for table in tables["TableList"]:
                    bucket, _, root = table["StorageDescriptor"]["Location"][5:].partition("/")
                    there = set()
                    for page in glue.get_paginator("get_partitions").paginate(
                        DatabaseName=database["Name"], TableName=table["Name"]
                    ):
                        there |= {tuple(p["Values"]) for p in page["Partitions"]}
                    fresh = [p for p in find(s3, bucket, root, len(table["PartitionKeys"])) if tuple(values_of(p)) not in there]
                    created += create(glue, table, [partition_input(table, values_of(p), p) for p in fresh])
    return created


def wrangler():
    import awswrangler as wr

    wr.config.glue_endpoint_url = endpoint
    session = boto3.Session(**keys)
    created = 0
    for name, values in world["values"].items():
        database, _, table = name.partition(".")
        wr.catalog.add_parquet_partitions(
            database=database, table=table, partitions_values=values, boto3_session=session, columns_types=world["columns"]
        )
        created += len(values)
    return created


started = time.perf_counter()
flows = {"boto3": lambda: reconcile(folders), "msck": lambda: reconcile(folders_of_objects), "wrangler": wrangler}
if flow == "wrangler":
    import awswrangler  # noqa: F401  Its import is not what is measured.

    started = time.perf_counter()
created = flows[flow]()
usage = resource.getrusage(resource.RUSAGE_SELF)
print(
    json.dumps(
        {
            "created": created,
            "inProcessMs": (time.perf_counter() - started) * 1000,
            "cpuMs": (usage.ru_utime + usage.ru_stime) * 1000,
            "peakBytes": usage.ru_maxrss * 1024,
        }
    )
)
