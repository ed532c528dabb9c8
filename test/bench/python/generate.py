"""Writes the bench's drops: 19 columns (16 float64, 2 string, 1 int64), as a data team's pyarrow would write them.

usage: generate.py OUT.parquet ROWS [--no-statistics]
--no-statistics  neither statistics nor level histograms, as writers older than those leave them: by polars, since pyarrow 26 always
                 writes the histograms. A thousandth of each column is null.
"""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS_AT_ONCE = 1_000_000


def batch(rng: np.random.Generator, first: int, rows: int) -> pa.Table:
    words = np.array([f"word-{i:05d}" for i in range(10_000)])
    columns: dict[str, pa.Array] = {"id": pa.array(np.arange(first, first + rows, dtype=np.int64))}
    for i in range(16):
        columns[f"measure_{i:02d}"] = pa.array(rng.random(rows))
    for i in range(2):
        columns[f"label_{i}"] = pa.array(words[rng.integers(0, len(words), rows)])
    return pa.table(columns)


def without_statistics(out: str, rows: int, rng: np.random.Generator) -> None:
    import polars

    frame = polars.concat([polars.from_arrow(batch(rng, first, min(ROWS_AT_ONCE, rows - first))) for first in range(0, rows, ROWS_AT_ONCE)])
    frame = frame.with_columns(
        polars.when(polars.Series(rng.random(rows) >= 0.001)).then(polars.col(name)).alias(name) for name in frame.columns
    )
    frame.write_parquet(out, compression="snappy", statistics=False, row_group_size=ROWS_AT_ONCE)


def main() -> None:
    out, rows = sys.argv[1], int(sys.argv[2])
    rng = np.random.default_rng(10)
    if "--no-statistics" in sys.argv:
        without_statistics(out, rows, rng)
        return
    writer = None
    for first in range(0, rows, ROWS_AT_ONCE):
        table = batch(rng, first, min(ROWS_AT_ONCE, rows - first))
        if writer is None:
            writer = pq.ParquetWriter(out, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


main()
