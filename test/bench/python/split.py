"""The real shape for `npm run bench -- split`: `make` writes a wide source, `large` one of large chunks, `duckdb` splits a wide one by
decoding and encoding, table by table."""

import csv
import glob
import os
import sys
import time

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

KEY = "Customer_User_id"


def fields(split_map):
    with open(split_map, newline="") as file:
        return [(table, column) for table, column, _ in list(csv.reader(file))[1:]]


def make(split_map, folder, rows):
    """One file of the map's columns: codes of a few values, small numbers and fractions, each with gaps."""
    random = np.random.default_rng(1)
    columns = {KEY: pa.array([f"cust-{row:010}" for row in range(rows)])}
    for index, (_, column) in enumerate(pair for pair in fields(split_map) if pair[1].lower() != KEY.lower()):
        gaps = random.random(rows) < 0.13
        if index % 4 < 2:
            codes = pa.DictionaryArray.from_arrays(pa.array(random.integers(0, 7, rows), pa.int32(), mask=gaps), [f"v{n}" for n in range(7)])
            columns[column] = codes.cast(pa.string())
        elif index % 4 == 2:
            columns[column] = pa.array(random.integers(0, 100, rows).astype("int32"), mask=gaps)
        else:
            columns[column] = pa.array(random.integers(0, 1000, rows) / 8, mask=gaps)
    os.makedirs(folder, exist_ok=True)
    pq.write_table(pa.table(columns), f"{folder}/part-00000.parquet", row_group_size=100_000)


def split(split_map, folder, target):
    [source] = glob.glob(f"{folder}/*.parquet")
    tables = {}
    for table, column in fields(split_map):
        tables.setdefault(table, [KEY]).append(column)
    started = time.perf_counter()
    for table, columns in tables.items():
        os.makedirs(f"{target}/{table}")
        names = ", ".join(f'"{name}" as "{name.lower()}"' for name in dict.fromkeys(name if name != KEY.lower() else KEY for name in columns))
        duckdb.execute(f"copy (select {names} from '{source}') to '{target}/{table}/part.parquet' (format parquet, compression snappy)")
    return time.perf_counter() - started


def large(folder, rows):
    """One row group of large chunks: a key and eight columns of numbers that do not compress."""
    os.makedirs(folder, exist_ok=True)
    columns = ", ".join(f"random() as {name}" for name in "abcdefgh")
    options = f"format parquet, compression uncompressed, row_group_size {rows}"
    duckdb.execute(f"copy (select range as id, {columns} from range({rows})) to '{folder}/part-00000.parquet' ({options})")


what, split_map, folder, last = sys.argv[1:]
if what == "make":
    make(split_map, folder, int(last))
elif what == "large":
    large(folder, int(last))
else:
    print(f"work {round(split(split_map, folder, last) * 1000)}")
