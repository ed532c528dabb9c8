"""What a user would run instead of lakegate, on PyIceberg; prints one line of JSON with what it cost.

usage: flow.py prepare|original|add_files FOLDER DROP.parquet
prepare    a fresh SQLite catalogue and warehouse in FOLDER; the table exists and has one small append, as a lake in use does
original   read with pyarrow, append to a branch, scan the branch for nulls, move main
add_files  register the file on a branch, look for nulls in the footer, move main
"""

import json
import os
import resource
import sys
import time

started = time.perf_counter()

import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from pyiceberg.catalog.sql import SqlCatalog  # noqa: E402
from pyiceberg.expressions import IsNull  # noqa: E402
from pyiceberg.io.pyarrow import PyArrowFileIO  # noqa: E402
from pyiceberg.table.refs import SnapshotRef, SnapshotRefType  # noqa: E402
from pyiceberg.table.update import (  # noqa: E402
    AssertRefSnapshotId,
    AssertTableUUID,
    RemoveSnapshotRefUpdate,
    SetSnapshotRefUpdate,
)
from sqlalchemy import event  # noqa: E402

BRANCH = "audit"
AUDITED_COLUMN = "label_0"

requests = {"opened": 0, "created": 0, "sql": 0}


def count_requests(catalog: SqlCatalog) -> None:
    new_input, new_output = PyArrowFileIO.new_input, PyArrowFileIO.new_output

    def counted_input(self, location):
        requests["opened"] += 1
        return new_input(self, location)

    def counted_output(self, location):
        requests["created"] += 1
        return new_output(self, location)

    PyArrowFileIO.new_input, PyArrowFileIO.new_output = counted_input, counted_output
    event.listen(catalog.engine, "before_cursor_execute", lambda *_: requests.__setitem__("sql", requests["sql"] + 1))


def process_io() -> dict[str, int]:
    with open("/proc/self/io") as lines:
        return {name: int(value) for name, value in (line.split(": ") for line in lines)}


def create_branch(table):
    table.manage_snapshots().create_branch(table.current_snapshot().snapshot_id, BRANCH).commit()


def publish(catalog, table):
    main, branch = table.metadata.refs["main"], table.metadata.refs[BRANCH]
    catalog.commit_table(
        table,
        (
            AssertTableUUID(uuid=table.metadata.table_uuid),
            AssertRefSnapshotId(ref="main", snapshot_id=main.snapshot_id),
            AssertRefSnapshotId(ref=BRANCH, snapshot_id=branch.snapshot_id),
        ),
        (
            SetSnapshotRefUpdate(ref_name="main", type=SnapshotRefType.BRANCH, snapshot_id=branch.snapshot_id),
            RemoveSnapshotRefUpdate(ref_name=BRANCH),
        ),
    )


def original(catalog, table, drop) -> int:
    rows = pq.read_table(drop)
    create_branch(table)
    table.append(rows, branch=BRANCH)
    head = table.metadata.refs[BRANCH].snapshot_id
    nulls = table.scan(row_filter=IsNull(AUDITED_COLUMN), snapshot_id=head, selected_fields=(AUDITED_COLUMN,)).to_arrow()
    if len(nulls) == 0:
        publish(catalog, table)
    return len(nulls)


def add_files(catalog, table, drop) -> int:
    create_branch(table)
    table.add_files([drop], branch=BRANCH)
    footer = pq.read_metadata(drop)
    nulls = sum(
        footer.row_group(group).column(column).statistics.null_count
        for group in range(footer.num_row_groups)
        for column in range(footer.num_columns)
    )
    if nulls == 0:
        publish(catalog, table)
    return nulls


def first_rows(drop):
    return pa.Table.from_batches([next(pq.ParquetFile(drop).iter_batches(batch_size=10))])


def prepare(catalog, drop) -> None:
    catalog.create_namespace("lake")
    table = catalog.create_table("lake.drops", pq.read_schema(drop))
    table.append(first_rows(drop))


def main() -> None:
    name, folder, drop = sys.argv[1:4]
    os.makedirs(folder, exist_ok=True)
    catalog = SqlCatalog("bench", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/warehouse")
    if name == "prepare":
        prepare(catalog, drop)
        return
    table = catalog.load_table("lake.drops")
    before_io = process_io()
    count_requests(catalog)
    ready = time.perf_counter()
    nulls = {"original": original, "add_files": add_files}[name](catalog, table, drop)
    done = time.perf_counter()
    after_io = process_io()
    print(
        json.dumps(
            {
                "flow": name,
                "nulls": nulls,
                "inProcessMs": (done - ready) * 1000,
                "startMs": (ready - started) * 1000,
                "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                "bytesRead": after_io["rchar"] - before_io["rchar"],
                "bytesWritten": after_io["wchar"] - before_io["wchar"],
                "storeRequests": requests["opened"] + requests["created"],
                "catalogRequests": requests["sql"],
            }
        )
    )


main()
