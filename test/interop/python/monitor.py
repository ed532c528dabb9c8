"""Writes tables as the split jobs of a dual pipeline do, with pyarrow, and asks DuckDB what is in them: `monitor.py FOLDER NEWEST BEFORE`."""

import json
import os
import sys

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

folder, newest, before = sys.argv[1:4]
KEY = "customer_user_id"
RANDOM = np.random.default_rng(7)


def rows(start, amount, columns=2, nulls=0, age=None):
    ids = [None if i < nulls else f"c{start + i:09d}" for i in range(amount)]
    attributes = {f"a{i}": RANDOM.random(amount) for i in range(columns)}
    ages = pa.array(RANDOM.integers(0, 90, amount), age or pa.int32())
    return pa.table({KEY: pa.array(ids, pa.string()), "age": ages, **attributes})


def write(table, partition, name, data, **options):
    path = os.path.join(folder, table, partition)
    os.makedirs(path, exist_ok=True)
    pq.write_table(data, os.path.join(path, name), **options)


def snapshots(table, of_day, **options):
    for day in (before, newest):
        for i, data in enumerate(of_day(day)):
            write(table, f"snapshot_dt={day}", f"part-{i:05d}.snappy.parquet", data, **options)


# Wide and healthy: where footers are a small part of the files.
snapshots("part_wide", lambda day: [rows(i * 60_000, 60_000, columns=40) for i in range(2)], row_group_size=20_000)
# No statistics at all: nulls are in the levels alone.
snapshots("part_nulls", lambda day: [rows(i * 5_000, 5_000, nulls=7) for i in range(3)], write_statistics=False)
# Keys that repeat in a file, and from file to file.
snapshots(
    "part_repeats",
    lambda day: [
        pa.concat_tables([rows(0, 5_000), rows(0, 11)]),
        rows(5_000 - (4 if day == newest else 0), 5_000, nulls=2),
    ],
    compression="zstd",
)
# A third of the rows is gone.
snapshots("part_fewer", lambda day: [rows(0, 9_000 if day == before else 6_000)], data_page_version="2.0")
# One file has another type.
snapshots("part_drift", lambda day: [rows(0, 500), rows(500, 500, age=pa.int64()), rows(1_000, 500)])
# Numbers as keys, and a dictionary that overflows.
for day in (before, newest):
    numbers = pa.table({KEY: pa.array([*range(30_000), *range(17)], pa.int64()), "age": pa.array([1] * 30_017, pa.int32())})
    write("part_numbers", f"snapshot_dt={day}", "part-0.parquet", numbers, dictionary_pagesize_limit=1_000)
# Bucketed: no partitions, no snapshot but that of the note beside it.
for i in range(4):
    write("ext_flat", "", f"part-{i}.parquet", rows(i * 1_000, 1_000))
os.makedirs(os.path.join(folder, "metadata"), exist_ok=True)
with open(os.path.join(folder, "metadata", "snapshot_dt.txt"), "w") as note:
    note.write(newest + "\n")


def facts(glob):
    found = duckdb.sql(f"""
        select count(*), count(*) filter ({KEY} is null), count({KEY}) - count(distinct {KEY})
        from read_parquet('{glob}', union_by_name = true)""").fetchone()
    return dict(zip(("rows", "nulls", "duplicates"), found))


answer = {}
for table in sorted(os.listdir(folder)):
    if table.startswith("part_"):
        answer[table] = facts(f"{folder}/{table}/snapshot_dt={newest}/*.parquet")
        answer[table]["before"] = facts(f"{folder}/{table}/snapshot_dt={before}/*.parquet")["rows"]
    elif table.startswith("ext_"):
        answer[table] = {**facts(f"{folder}/{table}/*.parquet"), "before": None}
print(json.dumps(answer))
