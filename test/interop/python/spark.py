"""A Spark session with Iceberg, serving SQL. Catalogues are Iceberg's JdbcCatalog on the SQLite files of lakegate's."""

import os
import sys
from pathlib import Path

os.environ["TZ"] = "UTC"

from pyspark.sql import Row, SparkSession  # noqa: E402

import canonical  # noqa: E402
from serve import serve  # noqa: E402

JARS, SCRATCH = sys.argv[1:3]

spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.driver.memory", "1500m")
    .config("spark.jars", ",".join(str(jar) for jar in sorted(Path(JARS).glob("*.jar"))))
    .config("spark.sql.extensions", "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "2")
    .config("spark.sql.warehouse.dir", SCRATCH)
    # The vectorised reader of Iceberg 1.7.1 crashes the JVM on position deletes.
    .config("spark.sql.iceberg.vectorization.enabled", "false")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")


def catalog(name, database, warehouse):
    conf = spark.conf
    prefix = f"spark.sql.catalog.{name}"
    conf.set(f"{prefix}.catalog-impl", "org.apache.iceberg.jdbc.JdbcCatalog")
    conf.set(f"{prefix}.uri", f"jdbc:sqlite:{database}?busy_timeout=30000")
    conf.set(f"{prefix}.warehouse", warehouse)
    # The tables are there; looking for them, Iceberg 1.7.1 leaves a statement open, whose read lock stops every other writer.
    conf.set(f"{prefix}.jdbc.init-catalog-tables", "false")
    # Others commit to the same tables: what Spark saw before must not be taken for what is there.
    conf.set(f"{prefix}.cache-enabled", "false")
    conf.set(prefix, "org.apache.iceberg.spark.SparkCatalog")


def plain(value):
    """A value of `collect`: there a struct is a Row and a map a dict."""
    if isinstance(value, Row):
        return {name: plain(item) for name, item in value.asDict().items()}
    if isinstance(value, dict):
        return canonical.pairs((plain(key), plain(item)) for key, item in value.items())
    if isinstance(value, list):
        return [plain(item) for item in value]
    return canonical.scalar(value)


def rows(sql):
    return canonical.lines(plain(row) for row in spark.sql(sql).collect())


def records(sql):
    return [plain(row) for row in spark.sql(sql).collect()]


def write_parquet(source, target, options):
    """Rewrites a Parquet file as one of Spark's."""
    folder = f"{target}.parts"
    settings = {key: value for key, value in options.items() if key.startswith("spark.")}
    for key, value in settings.items():
        spark.conf.set(key, value)
    writer = spark.read.parquet(source).coalesce(1).write.mode("overwrite")
    for key, value in options.items():
        if key not in settings:
            writer = writer.option(key, value)
    writer.parquet(folder)
    for key in settings:
        spark.conf.unset(key)
    [part] = Path(folder).glob("part-*.parquet")
    part.rename(target)


def remove_orphan_files(table):
    """All of them: the SQL procedure refuses those of the last day, the action behind it takes what it is told."""
    jvm = spark._jvm
    loaded = jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, table)
    action = jvm.org.apache.iceberg.spark.actions.SparkActions.get(spark._jsparkSession).deleteOrphanFiles(loaded)
    return list(action.olderThan(jvm.System.currentTimeMillis()).execute().orphanFileLocations())


serve(
    {
        "catalog": catalog,
        "rows": rows,
        "records": records,
        "write_parquet": write_parquet,
        "remove_orphan_files": remove_orphan_files,
    }
)
