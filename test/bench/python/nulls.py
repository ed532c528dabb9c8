"""Counts the nulls of every column of a Parquet file without statistics; prints one line of JSON with what it cost.

usage: nulls.py pyarrow|duckdb FILE.parquet
"""

import json
import resource
import sys
import time

engine, path = sys.argv[1:3]
if engine == "pyarrow":
    import pyarrow.parquet as pq

    started = time.perf_counter()
    table = pq.read_table(path)
    nulls = [table.column(name).null_count for name in table.column_names]
else:
    import duckdb

    started = time.perf_counter()
    connection = duckdb.connect()
    names = [row[0] for row in connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [path]).fetchall()]
    counts = ", ".join(f'count(*) - count("{name}")' for name in names)
    nulls = list(connection.execute(f"SELECT {counts} FROM read_parquet(?)", [path]).fetchone())
print(
    json.dumps(
        {
            "nulls": nulls,
            "inProcessMs": (time.perf_counter() - started) * 1000,
            "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
    )
)
