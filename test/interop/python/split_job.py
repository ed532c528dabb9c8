"""A Spark session that runs glue/split.py as Glue does: the script's own `run`, arguments read by Glue's getResolvedOptions."""

import base64
import json
import os
import sys
from pathlib import Path

os.environ["TZ"] = "UTC"

ROOT = Path(__file__).resolve().parents[3]
# Glue's own modules come with the job's environment; here from a venv of theirs.
sys.path += [str(path) for path in (ROOT / ".interop" / "glue-venv" / "lib").glob("python*/site-packages")]
sys.path.insert(0, str(ROOT / "glue"))

import pyarrow  # noqa: E402
import pyarrow.parquet  # noqa: E402
import pyarrow.parquet.encryption as encryption  # noqa: E402
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


class OpenKeys(encryption.KmsClient):
    """Wraps keys into nothing: for files that nobody is to read."""

    def wrap_key(self, key, name):
        return base64.b64encode(key)

    def unwrap_key(self, wrapped, name):
        return base64.b64decode(wrapped)


def write_encrypted(path):
    """A file whose footer everybody may read, and one of its columns nobody."""
    table = pyarrow.table({"customer_user_id": ["a"], "v": [1]})
    asked = encryption.EncryptionConfiguration(footer_key="footer", column_keys={"column": ["v"]}, plaintext_footer=True)
    factory = encryption.CryptoFactory(lambda _: OpenKeys())
    properties = factory.file_encryption_properties(encryption.KmsConnectionConfig(), asked)
    with pyarrow.parquet.ParquetWriter(path, table.schema, encryption_properties=properties) as writer:
        writer.write_table(table)


def lines(frame):
    """Rows as JSON, nulls and all, so that equal rows are equal lines."""
    return [json.dumps(row.asDict(), default=str, sort_keys=True) for row in frame.collect()]


def rows(path):
    return lines(spark.read.parquet(path))


def external_rows(columns, location, date, folder):
    """A snapshot of a table over files that others wrote, as a catalogue describes it."""
    spark.sql("drop table if exists external_table")
    listed = ", ".join(f"`{name}` {kind}" for name, kind in (column.split(" ") for column in columns))
    spark.sql(f"create table external_table ({listed}, snapshot_dt string) using parquet partitioned by (snapshot_dt) location '{location}'")
    spark.sql(f"alter table external_table add partition (snapshot_dt = '{date}') location '{folder}'")
    try:
        return lines(spark.table("external_table").where(f"snapshot_dt = '{date}'").drop("snapshot_dt"))
    finally:
        spark.sql("drop table external_table")


def id_buckets(path, key, count):
    """Of a table with folders of id_bucket: how many there are, rows, and rows that lie in another than the seed's job puts them into."""
    frame = spark.read.parquet(path)
    wrong = frame.where(f"id_bucket != pmod(xxhash64(`{key}`), {count})")
    return [frame.select("id_bucket").distinct().count(), frame.count(), wrong.count()]


def parse(statement, dialect):
    """What sqlglot's grammar of a dialect takes a statement for; Spark's own, which is Hive's in its DDL, for `spark`."""
    if dialect == "spark":
        return [spark._jsparkSession.sessionState().sqlParser().parsePlan(statement).getClass().getSimpleName()]
    return [type(one).__name__ for one in sqlglot.parse(statement, read=dialect)]


serve({"run": run, "bucket_by": bucket_by, "write_parquet": write_parquet, "write_encrypted": write_encrypted, "parse": parse, "rows": rows, "id_buckets": id_buckets, "external_rows": external_rows})
