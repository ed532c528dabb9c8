"""Spark for `npm run bench -- split`: `original` splits as the jobs did that ours replaces, `rewrite` reads and writes tables once more, as CTAS does."""

import csv
import os
import shutil
import sys
import time

os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")

from pyspark.sql import SparkSession  # noqa: E402
from pyspark.sql import functions as F  # noqa: E402

KEY = "customer_user_id"
TARGET_BYTES = 512 * 1024 * 1024
# The original's least and most numbers of files.
FEWEST, MOST = 24, 128


def fields(split_map):
    tables = {}
    with open(split_map, newline="") as file:
        for table, column, _ in list(csv.reader(file))[1:]:
            tables.setdefault(table, [KEY]).append(column.lower())
    return {table: list(dict.fromkeys(columns)) for table, columns in tables.items()}


def size_of(folder):
    return sum(entry.stat().st_size for entry in os.scandir(folder) if entry.name.endswith(".parquet"))


def original(spark, split_map, source, target):
    """Table by table: written to a temporary place to be measured, then repartitioned by the key, coalesced and written again."""
    wide = spark.read.parquet(source)
    for table, columns in fields(split_map).items():
        frame = wide.select(*[F.col(name).alias(name) for name in columns])
        measured = f"{target}/_temporary/{table}"
        frame.write.mode("overwrite").parquet(measured)
        files = min(MOST, max(FEWEST, -(-size_of(measured) // TARGET_BYTES)))
        shutil.rmtree(measured)
        frame.repartition(256, KEY).coalesce(files).write.mode("overwrite").parquet(f"{target}/{table}")


def rewrite(spark, split_map, source, target):
    for table in fields(split_map):
        spark.read.parquet(f"{source}/{table}").write.mode("overwrite").parquet(f"{target}/{table}")


way, split_map, source, target = sys.argv[1:]
session = (
    SparkSession.builder.master("local[*]")
    .config("spark.driver.memory", "4096m")
    .config("spark.ui.enabled", "false")
    .config("spark.ui.showConsoleProgress", "false")
    .config("spark.log.level", "ERROR")
    .getOrCreate()
)
started = time.perf_counter()
{"original": original, "rewrite": rewrite}[way](session, split_map, source, target)
if way == "rewrite":
    # A pass in a session that is there already.
    print(f"work {round((time.perf_counter() - started) * 1000)}")
session.stop()
