"""A Spark session that runs glue/split.py as Glue does: the script's own `run`, arguments read by Glue's getResolvedOptions."""

import os
import sys
from pathlib import Path

os.environ["TZ"] = "UTC"

ROOT = Path(__file__).resolve().parents[3]
# Glue's own modules come with the job's environment; here from a venv of theirs.
sys.path += [str(path) for path in (ROOT / ".interop" / "glue-venv" / "lib").glob("python*/site-packages")]
sys.path.insert(0, str(ROOT / "glue"))

from pyspark.sql import SparkSession  # noqa: E402

import split  # noqa: E402
import sqlglot  # noqa: E402
from serve import serve  # noqa: E402

SCRATCH = sys.argv[1]

spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.driver.memory", "1500m")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.shuffle.partitions", "2")
    .config("spark.sql.warehouse.dir", SCRATCH)
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")


def run(arguments):
    return split.run(spark, ["split.py", *arguments])


def bucket_by(source, target, key, count):
    """Spark's own buckets, by Spark's own hash."""
    spark.read.parquet(source).write.mode("overwrite").format("parquet").bucketBy(count, key).option("path", target).saveAsTable("spark_buckets")
    spark.sql("drop table spark_buckets")


def write_parquet(sql, target):
    spark.sql(sql).coalesce(1).write.mode("overwrite").parquet(target)


def parse(statement, dialect):
    """What sqlglot's grammar of a dialect takes a statement for; Spark's own, which is Hive's in its DDL, for `spark`."""
    if dialect == "spark":
        return [spark._jsparkSession.sessionState().sqlParser().parsePlan(statement).getClass().getSimpleName()]
    return [type(one).__name__ for one in sqlglot.parse(statement, read=dialect)]


serve({"run": run, "bucket_by": bucket_by, "write_parquet": write_parquet, "parse": parse})
