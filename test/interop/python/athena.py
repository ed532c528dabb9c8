"""What Athena does with the pipelines' statements, by sqlglot's grammar of them and DuckDB: CREATE TABLE AS over Parquet files, in Hive's buckets."""

import os
import sys
from pathlib import Path

os.environ["TZ"] = "UTC"

# sqlglot comes with what the Glue job needs, in a venv of its own.
sys.path += [str(path) for path in (Path(__file__).resolve().parents[3] / ".interop" / "glue-venv" / "lib").glob("python*/site-packages")]

import duckdb  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
import sqlglot  # noqa: E402
from sqlglot import exp  # noqa: E402
from serve import serve  # noqa: E402


def literal(node):
    return [item.name for item in node.expressions] if isinstance(node, exp.Array) else node.name


def hive_bucket(value, count):
    """Hive's hash of a text: 31 * h + byte, in 32 bits with a sign."""
    hash = 0
    for byte in b"" if value is None else str(value).encode():
        hash = (31 * hash + (byte - 256 if byte > 127 else byte)) & 0xFFFFFFFF
    return (hash & 0x7FFFFFFF) % count


def parse(statement):
    """What a CREATE TABLE AS is about: its table, the properties in WITH, and what it reads."""
    [create] = sqlglot.parse(statement, read="trino")
    assert isinstance(create, exp.Create), type(create)
    given = [one for one in create.args["properties"].expressions if type(one) is exp.Property]
    properties = {one.this.name: literal(one.args["value"]) for one in given}
    properties["bucketed_by"] = properties.get("bucketed_by")
    [source] = create.expression.find_all(exp.Table)
    return {
        "database": create.this.db,
        "table": create.this.name,
        "properties": properties,
        "source": {"database": source.db, "table": source.name},
    }


def create_as(statement, files, target):
    """Writes what the statement selects from the files to a folder, which must be empty. @returns the columns' types, as DuckDB calls them"""
    [create] = sqlglot.parse(statement, read="trino")
    about = parse(statement)
    assert not os.listdir(target), f"{target} is not empty"
    connection = duckdb.connect()
    source = about["source"]
    connection.execute(f'create schema "{source["database"]}"')
    connection.execute(
        f'create view "{source["database"]}"."{source["table"]}" as select * from read_parquet({files}, hive_partitioning = true, hive_types = {{\'snapshot_dt\': varchar}})'
        if any("snapshot_dt=" in file for file in files)
        else f'create view "{source["database"]}"."{source["table"]}" as select * from read_parquet({files}, hive_partitioning = false)'
    )
    rows = connection.execute(create.expression.sql("duckdb")).to_arrow_table()
    properties = about["properties"]
    count = int(properties.get("bucket_count", 0))
    if count:
        [key] = properties["bucketed_by"]
        buckets = [hive_bucket(value, count) for value in rows.column(key).to_pylist()]
        for number in range(count):
            part = rows.take([row for row, bucket in enumerate(buckets) if bucket == number])
            pq.write_table(part, Path(target, f"20260201_030000_00001_x_bucket-{number:05d}"), compression="snappy")
    else:
        pq.write_table(rows, Path(target, "20260201_030000_00001_x_0"), compression="snappy")
    types = connection.execute(f"describe {create.expression.sql('duckdb')}").fetchall()
    return [{"name": name, "type": kind} for name, kind, *_ in types]


serve({"parse": parse, "create_as": create_as})
