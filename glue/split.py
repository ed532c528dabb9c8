"""Splits a wide snapshot into the tables of a split map: the Glue job behind the four split jobs, plain PySpark.

MODE=bucketed writes `TARGET_PATH/TABLE/`, MODE=partitioned `TARGET_PATH/TABLE/snapshot_dt=YYYY-MM-DD/`. With CSV_FILE the tables are those of the split
map; without it all columns go to the one table TABLE_NAME (the identity table). BUCKETING=direct lays rows into Hive's buckets, one file for each; with
BUCKETING=ctas (the default) files are cut by size, for a CTAS to bucket later. ID_BUCKET=n cuts a snapshot's folder by `id_bucket=pmod(xxhash64(key), n)`.

Each table is written beside its place, its rows are counted, and only then its files take the place of the old ones: a table that fails keeps its old
data. With HOLD=true they stay there, for whoever audits them and then commits them (src/tables/held-table.ts). One table's failure stops no other; the
job fails at its end and names them. There is no job bookmark, hence no `job.commit()`: a run that raises has failed, one that ends has not.
"""

import csv
import io
import json
import math
import re
import sys
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import lru_cache

import pyarrow.fs
import pyarrow.parquet
from awsglue.utils import getResolvedOptions
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

# Names of arguments, their older spellings, and what they are where nobody gives them.
SPELLINGS = {"TARGET_PATH": "TARGET_BUCKET", "CSV_FILE": "CSV_PATH"}
DEFAULTS = {
    "MODE": "",
    "SNAPSHOT_DT": "_NONE_",
    "SOURCE_PATH": "",
    "TARGET_PATH": "",
    "CSV_FILE": "_NONE_",
    "TABLE_NAME": "addressable_ids",
    "KEY_COL": "customer_user_id",
    "ALIASES": "_NONE_",
    "BUCKETING": "ctas",
    "BUCKET_COUNT": "256",
    "TARGET_FILE_MB": "512",
    "TABLES_FILTER": "_NONE_",
    "MAX_COLS": "100",
    "STRICT": "false",
    "MARKER": "_NONE_",
    "TABLES_AT_ONCE": "4",
    "ID_BUCKET": "0",
    "RESULT_PATH": "_NONE_",
    "HOLD": "false",
}
NONE = "_NONE_"
FOLDER = re.compile(r"snapshot_dt=(\d{4}-\d{2}-\d{2})")
TABLE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,199}")
# Names of files that a commit may touch: nothing that a record holds leads out of the table's folder.
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.=-]*")
READING = re.compile(r"while reading file (.+?)\. Details:")
STAGING = "_staging_spark"
# Where `lakegate tables split` stages its own files, by its other engines.
COPY_STAGING = "_staging"
BUCKET = "lakegate_bucket"
ID_BUCKET = "id_bucket"
# How much larger than the target a file of an id_bucket may be: hashes are not even, and a file of a few rows beside each would be worse.
SLACK = 1.5
# Bytes that follow the footer of a file with encrypted columns: its nonce and tag (parquet-format, Encryption.md, plaintext footer mode).
SIGNATURE = 28
FOOTERS_AT_ONCE = 16
MOVES_AT_ONCE = 16


class SplitError(Exception):
    """What a person has to know: its message is the job run's."""


# --- arguments


def read_arguments(argv):
    """The job's arguments under today's names. Every fault is told at once."""
    given = {word[2:].split("=", 1)[0] for word in argv if word.startswith("--")}
    names = [name for name in [*DEFAULTS, *SPELLINGS.values()] if name in given]
    # Called for what is there alone: it knows no optional arguments.
    values = {name: value for name, value in getResolvedOptions(argv, names).items() if name in names}
    faults = []
    for name, older in SPELLINGS.items():
        if name in values and older in values and values[name] != values[older]:
            faults.append(f"--{name} and its older name --{older} differ: give one of them")
        if older in values:
            values.setdefault(name, values.pop(older))
    options = {name: str(values.get(name, default)).strip() for name, default in DEFAULTS.items()}
    for name in ("SOURCE_PATH", "TARGET_PATH"):
        if not options[name]:
            older = f" (or --{SPELLINGS[name]})" if name in SPELLINGS else ""
            faults.append(f"--{name}{older} is missing: expected a folder such as s3://bucket/path/")
        else:
            options[name] = located(options[name]).rstrip("/") + "/"
    choice(options, "MODE", ("bucketed", "partitioned"), faults)
    choice(options, "BUCKETING", ("ctas", "direct"), faults)
    choice(options, "STRICT", ("true", "false"), faults)
    choice(options, "HOLD", ("true", "false"), faults)
    for name, least, most in (("BUCKET_COUNT", 1, 99_999), ("TARGET_FILE_MB", 1, 100_000), ("MAX_COLS", 2, 10_000), ("TABLES_AT_ONCE", 1, 64), ("ID_BUCKET", 0, 99_999)):
        whole(options, name, least, most, faults)
    if options["ID_BUCKET"] and options["MODE"] == "bucketed":
        faults.append("--ID_BUCKET cuts the folders of snapshots: expected it with --MODE partitioned, found bucketed")
    if options["SNAPSHOT_DT"] != NONE and not is_date(options["SNAPSHOT_DT"]):
        faults.append(f"--SNAPSHOT_DT: expected YYYY-MM-DD or {NONE}, found {options['SNAPSHOT_DT']!r}")
    if options["CSV_FILE"] == NONE and not TABLE_NAME.fullmatch(options["TABLE_NAME"]):
        faults.append(f"--TABLE_NAME: expected letters, digits and underscores, found {options['TABLE_NAME']!r}")
    source, target = options["SOURCE_PATH"], options["TARGET_PATH"]
    if source and target and (source.startswith(target) or target.startswith(source)):
        faults.append(f"the tables would not be apart from their source: {target} and {source}")
    for name in ("CSV_FILE", "RESULT_PATH"):
        if options[name] != NONE:
            options[name] = located(options[name])
    if source and options["RESULT_PATH"].startswith(source):
        faults.append(f"--RESULT_PATH lies in the source: {options['RESULT_PATH']}")
    options["ALIASES"] = aliases_of(options["ALIASES"], faults)
    wanted = options["TABLES_FILTER"]
    options["TABLES_FILTER"] = names_of(wanted)
    if wanted not in ("", NONE) and not options["TABLES_FILTER"]:
        faults.append(f"--TABLES_FILTER: expected names of tables by commas, found {wanted!r}")
    options["KEY_COL"] = options["KEY_COL"].lower()
    if faults:
        raise SplitError("the job's arguments cannot be used:" + "".join(f"\n  {fault}" for fault in faults))
    return options


def choice(options, name, allowed, faults):
    options[name] = options[name].lower()
    if options[name] not in allowed:
        faults.append(f"--{name}: expected {' or '.join(allowed)}, found {options[name]!r}")


def whole(options, name, least, most, faults):
    text = options[name]
    if not re.fullmatch(r"\d{1,9}", text) or not least <= int(text) <= most:
        faults.append(f"--{name}: expected a whole number from {least} to {most}, found {text!r}")
    else:
        options[name] = int(text)


def located(path):
    """A bucket's name alone stands for the bucket."""
    return path if "://" in path or path.startswith(("/", "file:")) else f"s3://{path}"


def names_of(text):
    return [] if text == NONE else [name.strip() for name in text.split(",") if name.strip()]


def aliases_of(text, faults):
    pairs = [pair.split("=") for pair in names_of(text)]
    faults.extend(f"--ALIASES: expected source=name, found {'='.join(pair)!r}" for pair in pairs if len(pair) != 2 or not all(map(str.strip, pair)))
    return {pair[0].strip().lower(): pair[1].strip().lower() for pair in pairs if len(pair) == 2}


def is_date(text):
    try:
        return bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", text)) and date.fromisoformat(text) is not None
    except ValueError:
        return False


# --- files


class Files:
    """Folders of any file system that Spark reaches (S3 on Glue, a disk on a laptop)."""

    def __init__(self, spark):
        self.jvm = spark.sparkContext._jvm
        self.conf = spark.sparkContext._jsc.hadoopConfiguration()

    def _at(self, path):
        found = self.jvm.org.apache.hadoop.fs.Path(path)
        return found.getFileSystem(self.conf), found

    def exists(self, path):
        system, found = self._at(path)
        return system.exists(found)

    def folders(self, path):
        return [name for name, is_folder, _ in self._entries(path) if is_folder]

    def names(self, path):
        return [name for name, is_folder, _ in self._entries(path) if not is_folder]

    def _entries(self, path):
        system, found = self._at(path)
        if not system.exists(found):
            return []
        return [(status.getPath().getName(), status.isDirectory(), status.getLen()) for status in system.listStatus(found)]

    def under(self, path):
        """Every file below a folder that engines would read, by its path from there and its URL, in order."""
        system, found = self._at(path)
        if not system.exists(found):
            return {}
        start = len(system.makeQualified(found).toString().rstrip("/")) + 1
        listing = system.listFiles(found, True)
        urls = []
        while listing.hasNext():
            urls.append(listing.next().getPath().toString())
        return {url[start:]: url for url in sorted(urls) if not any(part.startswith(("_", ".")) for part in url[start:].split("/"))}

    def read(self, path):
        system, found = self._at(path)
        stream = system.open(found)
        try:
            return bytes(self.jvm.org.apache.commons.io.IOUtils.toByteArray(stream))
        finally:
            stream.close()

    def write(self, path, text):
        system, found = self._at(path)
        stream = system.create(found, True)
        try:
            stream.write(text.encode())
        finally:
            stream.close()

    def move(self, source, target):
        system, found = self._at(source)
        to = self.jvm.org.apache.hadoop.fs.Path(target)
        if not system.exists(found):
            if system.exists(to):
                return
            raise SplitError(f"{source} is gone, and {target} is not there either: run the job again")
        system.mkdirs(to.getParent())
        # Whoever finishes the same commit may have moved it at this moment.
        if not system.rename(found, to) and (system.exists(found) or not system.exists(to)):
            raise SplitError(f"{source} could not be moved to {target}")

    def copy(self, source, target):
        system, found = self._at(source)
        to = self.jvm.org.apache.hadoop.fs.Path(target)
        if not self.jvm.org.apache.hadoop.fs.FileUtil.copy(system, found, system, to, False, self.conf):
            raise SplitError(f"{source} could not be copied to {target}")

    def delete(self, path):
        system, found = self._at(path)
        if system.exists(found) and not system.delete(found, True):
            raise SplitError(f"{path} could not be deleted")


# --- snapshot and source


def find_snapshot(files, source, wanted, marker):
    """The snapshot asked for, else the latest by its name; of those with the marker, where there is one."""
    dates = sorted(match[1] for match in map(FOLDER.fullmatch, files.folders(source)) if match and is_date(match[1]))
    if wanted != NONE:
        if wanted not in dates:
            raise SplitError(f"there is no folder snapshot_dt={wanted}/ directly under {source}; the latest one there is {dates[-1] if dates else 'none'}")
        dates = [wanted]
    if not dates:
        raise SplitError(f"there is no folder snapshot_dt=YYYY-MM-DD/ directly under {source}")
    complete = [day for day in dates if marker == NONE or files.exists(f"{source}snapshot_dt={day}/{marker}")]
    if not complete:
        raise SplitError(f"no snapshot under {source} is complete: {', '.join(dates[-3:])} lack {marker}")
    return complete[-1]


@lru_cache(maxsize=None)
def bucket_system(scheme, bucket):
    """pyarrow's file system of a bucket, in its own region; `s3a:` and `s3n:` are Hadoop's spellings."""
    return pyarrow.fs.FileSystem.from_uri(f"{'s3' if scheme in ('s3a', 's3n') else scheme}://{bucket}")[0]


def opened(url):
    """pyarrow's file system and path of a file as Hadoop names it: `file:/x`, `s3://bucket/key`. Nothing in a key is decoded."""
    scheme, colon, rest = url.partition(":")
    if not colon or scheme == "file":
        return pyarrow.fs.LocalFileSystem(), "/" + (rest or url).lstrip("/")
    path = rest.lstrip("/")
    return bucket_system(scheme, path.split("/")[0]), path


def read_footer(url):
    system, path = opened(url)
    with system.open_input_file(path) as file:
        footer = pyarrow.parquet.read_metadata(file)
        # Told before a column is looked at: pyarrow ends the whole process at one that is encrypted under a plain footer.
        length = int.from_bytes(file.read_at(4, file.size() - 8), "little")
        if length - footer.serialized_size == SIGNATURE:
            raise SplitError("it has encrypted columns")
        return footer


def inspect(url):
    """What a file's footer says. @raises SplitError that names the file, where it cannot be read"""
    try:
        return measured(url)
    except Exception as error:  # noqa: BLE001 pyarrow tells a cut-off, a foreign, an encrypted file and a refused one by errors of many kinds, none with the name
        raise SplitError(f"{url} could not be read as Parquet: {reason_of(error).rstrip('.')}. Have it written again, or take it out of the snapshot") from error


def measured(url):
    """A file's columns' types (equal for files that Spark may read as one), compressed bytes of each column, rows."""
    footer = read_footer(url)
    leaves = [footer.schema.column(index) for index in range(footer.num_columns)]
    names = set(footer.schema.to_arrow_schema().names)
    tops = [leaf.path if leaf.path in names else leaf.path.split(".")[0] for leaf in leaves]
    sizes = Counter()
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        for index, top in enumerate(tops):
            sizes[top.lower()] += group.column(index).total_compressed_size
    kind = tuple((leaf.path, leaf.physical_type, str(leaf.logical_type)) for leaf in leaves)
    return {"url": url, "kind": kind, "sizes": sizes, "rows": footer.num_rows}


class Source:
    """A snapshot: files of one schema are read together, and brought to the widest type of each column where schemas differ."""

    def __init__(self, spark, files, folder):
        urls = list(files.under(folder).values())
        if not urls:
            raise SplitError(f"the snapshot {folder} has no files: expected Parquet files in it")
        with ThreadPoolExecutor(FOOTERS_AT_ONCE) as pool:
            found = list(pool.map(inspect, urls))
        self.files = len(found)
        self.rows = sum(file["rows"] for file in found)
        self.sizes = sum((file["sizes"] for file in found), Counter())
        kinds = {}
        for file in found:
            kinds.setdefault(file["kind"], []).append(file["url"])
        self.frames = [spark.read.parquet(*paths) for paths in kinds.values()]
        self.columns = list(dict.fromkeys(name for frame in self.frames for name in frame.columns))

    def select(self, columns):
        """A frame of (source column, name) pairs. @raises SplitError where a column's types do not go together"""
        by_name = [{field.name.lower(): field for field in frame.schema.fields} for frame in self.frames]
        types = {source: widest(source, [fields[source.lower()].dataType for fields in by_name if source.lower() in fields]) for source, _ in columns}
        parts = []
        for frame, fields in zip(self.frames, by_name):
            chosen = []
            for source, name in columns:
                field = fields.get(source.lower())
                column = F.lit(None) if field is None else F.col(f"`{field.name}`")
                same = field is not None and field.dataType == types[source]
                chosen.append((column if same else column.cast(types[source])).alias(name))
            parts.append(frame.select(*chosen))
        whole = parts[0]
        for part in parts[1:]:
            whole = whole.unionByName(part)
        return whole


WIDER = (T.ByteType(), T.ShortType(), T.IntegerType(), T.LongType())


def widest(name, types):
    distinct = [kind for index, kind in enumerate(types) if kind not in types[:index]]
    if len(distinct) == 1:
        return distinct[0]
    if all(kind in WIDER for kind in distinct):
        return max(distinct, key=WIDER.index)
    if all(kind in (*WIDER[:3], T.FloatType(), T.DoubleType()) for kind in distinct):
        return T.DoubleType()
    raise SplitError(f"column {name} has types that no type holds without a loss: {', '.join(kind.simpleString() for kind in distinct)}")


# --- split map


def read_map(text, name):
    """(table, column, line) of each line. Which columns of the CSV are meant is told by its header, as `lakegate tables split` does."""
    reader = csv.reader(io.StringIO(text, newline=""))
    rows = [(row, reader.line_num) for row in reader if any(cell.strip() for cell in row)]
    header = [cell.strip() for cell in rows[0][0]] if rows else []
    table = next((i for i, cell in enumerate(header) if re.search(r"(^|_)table(_?name)?$", cell, re.I)), None)
    column = next((i for i, cell in enumerate(header) if re.search(r"(^|_)(column|field)(_?name)?$", cell, re.I)), None)
    if table is None or column is None or len(rows) < 2:
        raise SplitError(f"the split map {name}: expected a header that names a table and a column, and lines below it, found {','.join(header)!r}")
    cell = lambda row, index: row[index].strip() if index < len(row) else ""  # noqa: E731
    entries = [(cell(row, table), cell(row, column), line) for row, line in rows[1:]]
    faults = [f"line {line}: no {'table' if not own else 'column'}" for own, field, line in entries if not own or not field]
    if faults:
        raise SplitError(f"the split map {name} cannot be used:" + "".join(f"\n  {fault}" for fault in faults[:50]))
    return entries


def match_map(entries, columns, options):
    """Tables as {name: [(source column, name)]}, the key first; and findings, those with which nothing can run apart."""
    key, alias = options["KEY_COL"], options["ALIASES"]
    named = lambda column: alias.get(column.lower(), column.lower())  # noqa: E731
    fatal, notes, known = [], [], {}
    for column in columns:
        if named(column) in known:
            fatal.append(f"the source's columns {known[named(column)]} and {column} would both be {named(column)}")
        known.setdefault(named(column), column)
    if key not in known:
        fatal.append(f"the source has no key column {key}: each table has to carry it")
    present = {column.lower() for column in columns}
    notes += [f"the source has no column {column}, which the aliases call {name}" for column, name in alias.items() if column not in present]
    tables, owners, mapped, lower = {}, {}, set(), {}
    for table, column, line in entries:
        mapped.add(named(column))
        if lower.setdefault(table.lower(), table) != table:
            fatal.append(f"the tables {lower[table.lower()]} and {table} differ in letter case alone")
        if options["TABLES_FILTER"] and table not in options["TABLES_FILTER"]:
            continue
        if not TABLE_NAME.fullmatch(table) or table.lower() == "metadata":
            fatal.append(f"{table!r} cannot be a table: expected letters, digits and underscores, not metadata")
        own = tables.setdefault(table, [(known.get(key), key)])
        name = named(column)
        if name == key:
            continue
        if any(name == other for _, other in own):
            notes.append(f"line {line}: {table} has {column} already")
        elif name not in known:
            notes.append(f"line {line}: the source has no column {column} for {table}")
        else:
            if owners.setdefault(name, table) != table:
                notes.append(f"line {line}: {column} is in {owners[name]} and in {table}")
            own.append((known[name], name))
    notes += [f"no table has the source's column {column}" for name, column in known.items() if name != key and name not in mapped]
    partition_keys = (1 if options["MODE"] == "partitioned" else 0) + (1 if options["ID_BUCKET"] else 0)
    for table, own in tables.items():
        if len(own) == 1:
            fatal.append(f"{table} would have no column but the key")
        if len(own) + partition_keys > options["MAX_COLS"]:
            notes.append(f"{table} has {len(own) + partition_keys} columns, partition keys counted: more than {options['MAX_COLS']}")
        if any(name in ("snapshot_dt", BUCKET, *([ID_BUCKET] if options["ID_BUCKET"] else [])) for _, name in own):
            fatal.append(f"{table} has a column with a name that its folders have: snapshot_dt, {ID_BUCKET} or {BUCKET}")
    known_tables = {table for table, _, _ in entries}
    fatal += [f"the split map has no table {name}" for name in options["TABLES_FILTER"] if name not in known_tables]
    return tables, list(dict.fromkeys(fatal)), list(dict.fromkeys(notes))


def single_table(columns, options):
    """All columns of the source as one table."""
    entries = [(options["TABLE_NAME"], column, 0) for column in columns if column.lower() != "snapshot_dt"]
    return match_map(entries, columns, {**options, "TABLES_FILTER": []})


# --- writing


def hive_bucket(spark, column, count):
    """Hive's bucket of a string, integer or null: (hash & 0x7fffffff) % count. Spark has Hive's hash as an expression without a name in SQL."""
    jvm = spark.sparkContext._jvm
    hashed = jvm.org.apache.spark.sql.catalyst.expressions.HiveHash(jvm.PythonUtils.toSeq([F.col(column)._jc.expr()]))
    return Column(jvm.org.apache.spark.sql.Column(hashed)).bitwiseAND(0x7FFFFFFF) % F.lit(count)


def partition_of_bucket(spark, count):
    """An array of a number for each bucket whose own hash leads into a partition that no other bucket has: else some tasks would write several buckets and
    others none."""
    numbers = spark.range(0, count * 32, 1, 1).select(F.col("id").cast("int").alias("number"))
    rows = numbers.groupBy(F.expr(f"pmod(hash(number), {count})").alias("partition")).agg(F.min("number").alias("number")).collect()
    found = {row["partition"]: row["number"] for row in rows}
    return F.array(*[F.lit(found.get(bucket, bucket)) for bucket in range(count)])


def write_files(spark, files, frame, place, run, options, size, rows):
    """Writes a frame's files. @returns what is to be moved where: {path under place: name of the file}"""
    if options["BUCKETING"] == "direct" and options["MODE"] == "bucketed":
        return write_buckets(spark, files, frame, place, run, options)
    wanted = max(1, math.ceil(size / (options["TARGET_FILE_MB"] * 1024 * 1024)))
    if options["ID_BUCKET"]:
        return write_id_buckets(files, frame, place, run, options, math.ceil(SLACK * rows / wanted))
    present = frame.rdd.getNumPartitions()
    if present > wanted:
        # Scans are put together without a row moving between machines.
        frame = frame.coalesce(wanted)
    elif present < wanted:
        frame = frame.repartition(wanted)
    frame.write.mode("overwrite").option("compression", "snappy").parquet(f"{place}data")
    parts = sorted(name for name in files.names(f"{place}data") if name.endswith(".parquet"))
    return {f"data/{name}": f"part-{index:05d}-{run}.parquet" for index, name in enumerate(parts)}


def write_id_buckets(files, frame, place, run, options, rows_of_file):
    """One file for each id_bucket, more where it has more rows than a file may have."""
    count = options["ID_BUCKET"]
    keyed = frame.withColumn(ID_BUCKET, F.pmod(F.xxhash64(options["KEY_COL"]), F.lit(count)).cast("int"))
    writer = keyed.repartition(count, ID_BUCKET).write.mode("overwrite").option("compression", "snappy")
    writer.option("maxRecordsPerFile", max(1, rows_of_file)).partitionBy(ID_BUCKET).parquet(f"{place}data")
    parts = [path for path in files.under(f"{place}data") if path.endswith(".parquet")]
    if not parts:
        # A snapshot without rows: a file all the same, so that the table has its columns.
        frame.limit(0).coalesce(1).write.mode("overwrite").option("compression", "snappy").parquet(f"{place}data/{ID_BUCKET}=0")
        parts = [path for path in files.under(f"{place}data") if path.endswith(".parquet")]
    return {f"data/{path}": f"{path.split('/')[0]}/part-{index:05d}-{run}.parquet" for index, path in enumerate(parts)}


def write_buckets(spark, files, frame, place, run, options):
    key, count = options["KEY_COL"], options["BUCKET_COUNT"]
    kind = frame.schema[key].dataType
    if not isinstance(kind, (T.StringType, T.ByteType, T.ShortType, T.IntegerType, T.LongType)):
        raise SplitError(f"the key {key} is {kind.simpleString()}: buckets are of a string or an integer. Use BUCKETING=ctas")
    bucketed = frame.withColumn(BUCKET, hive_bucket(spark, key, count))
    spread = F.element_at(partition_of_bucket(spark, count), F.col(BUCKET) + 1)
    bucketed.repartition(count, spread).write.mode("overwrite").option("compression", "snappy").partitionBy(BUCKET).parquet(f"{place}data")
    moves = {}
    for folder in files.folders(f"{place}data"):
        if folder.startswith(f"{BUCKET}="):
            bucket = int(folder[len(BUCKET) + 1 :])
            for part in files.names(f"{place}data/{folder}"):
                if part.endswith(".parquet"):
                    moves[f"data/{folder}/{part}"] = f"{bucket:06d}_0-{run}.parquet"
    if len(set(moves.values())) != len(moves):
        raise SplitError("a bucket was written in several files")
    present = set(moves.values())
    missing = [name for name in (f"{bucket:06d}_0-{run}.parquet" for bucket in range(count)) if name not in present]
    if missing:
        # Readers of Hive's buckets expect a file of each.
        frame.limit(0).coalesce(1).write.mode("overwrite").option("compression", "snappy").parquet(f"{place}empty")
        [empty] = [name for name in files.names(f"{place}empty") if name.endswith(".parquet")]
        for name in missing:
            files.copy(f"{place}empty/{empty}", f"{place}empty-{name}")
            moves[f"empty-{name}"] = name
    return moves


def finish_commit(files, place, folder):
    """Does what a commit's record says, as far as it is not done. A run that was killed in the middle of it is finished by the next one."""
    if not files.exists(f"{place}commit.json"):
        return
    record = json.loads(files.read(f"{place}commit.json"))
    moves, replaces = record["moves"], record["replaces"]
    for name in (part for path in [*replaces, *moves, *moves.values()] for part in path.split("/")):
        if not FILE_NAME.fullmatch(name):
            raise SplitError(f"{place}commit.json names {name!r}, which is no file of a split. Delete {place} and run the job again")
    # Looked at first: nothing that readers have is deleted for files that are not there.
    staged, present = files.under(place), files.under(folder)
    lost = [name for name, target in moves.items() if name not in staged and target not in present]
    if lost:
        raise SplitError(f"{place}commit.json names {len(lost)} files that are nowhere, {lost[0]} among them. Delete {place} and run the job again")
    with ThreadPoolExecutor(MOVES_AT_ONCE) as pool:
        list(pool.map(lambda name: files.delete(f"{folder}{name}"), replaces))
        list(pool.map(lambda move: files.move(f"{place}{move[0]}", f"{folder}{move[1]}"), moves.items()))
    # A folder of an id_bucket that no row has any more would be taken for a partition.
    for name in files.folders(folder):
        if name.startswith(f"{ID_BUCKET}=") and not files.under(f"{folder}{name}"):
            files.delete(f"{folder}{name}")
    files.delete(place)


def split_table(spark, files, source, table, columns, snapshot, options):
    """Writes one table and puts it into its place, or holds it. @returns {outcome, files, rows, bytes}, and of a held one the run that names its files"""
    root = f"{options['TARGET_PATH']}{table}/"
    inside = f"{table}/snapshot_dt={snapshot}/" if options["MODE"] == "partitioned" else f"{table}/"
    folder, place = f"{options['TARGET_PATH']}{inside}", f"{options['TARGET_PATH']}{STAGING}/{inside}"
    other = f"{options['TARGET_PATH']}{COPY_STAGING}/{table}.{f'snapshot_dt={snapshot}' if options['MODE'] == 'partitioned' else 'plain'}/"
    if files.exists(f"{other}commit.json"):
        # When it went on with that commit, its files would lie beside those of this job.
        raise SplitError(f"tables split is committing {folder}, or was broken off while it did: let it end, or run it again; or delete {other} and run the job again")
    finish_commit(files, place, folder)
    partitioned = any(name.startswith("snapshot_dt=") for name in files.folders(root))
    if options["MODE"] == "bucketed" and partitioned:
        raise SplitError(f"{root} has folders of snapshots: a bucketed table cannot lie in the same place")
    if options["MODE"] == "partitioned" and any(name.endswith(".parquet") for name in files.names(root)):
        raise SplitError(f"{root} has files beside folders of snapshots: a partitioned table cannot lie in the same place")
    files.delete(place)
    run = uuid.uuid4().hex[:16]
    size = sum(source.sizes[column.lower()] for column, _ in columns)
    moves = write_files(spark, files, source.select(columns), place, run, options, size, source.rows)
    with ThreadPoolExecutor(FOOTERS_AT_ONCE) as pool:
        rows = sum(pool.map(lambda path: read_footer(f"{place}{path}").num_rows, moves))
    if rows != source.rows:
        raise SplitError(f"expected {source.rows} rows, as in the source, found {rows} written")
    made = {"files": len(moves), "rows": rows, "bytes": size}
    if options["HOLD"] == "true":
        # Not `commit.json`: what was not audited is nobody's to finish.
        files.write(f"{place}held.json", json.dumps({"run": run, "moves": moves}))
        return {"outcome": "held", "run": run, **made}
    present = files.under(folder) if options["MODE"] == "partitioned" else files.names(folder)
    replaces = [path for path in present if not path.startswith(("_", "."))]
    strange = [path for path in replaces if not all(map(FILE_NAME.fullmatch, path.split("/")))]
    if strange:
        raise SplitError(f"{folder} has a file {strange[0]!r}, which no split wrote: move it away and run the job again")
    files.write(f"{place}commit.json", json.dumps({"moves": moves, "replaces": replaces}))
    finish_commit(files, place, folder)
    return {"outcome": "written", **made}


def attempt(spark, files, source, table, columns, snapshot, options):
    try:
        done = split_table(spark, files, source, table, columns, snapshot, options)
        print(f"{table}: {done['rows']} rows in {done['files']} files", flush=True)
        return {"table": table, **done}
    except Exception as error:  # noqa: BLE001 one table's fault, whatever it is, stops no other
        print(f"{table}: failed: {error}", file=sys.stderr, flush=True)
        return {"table": table, "outcome": "failed", "reason": reason_of(error)}


def reason_of(error):
    """Why something failed, in a line of 500 characters and a file's name: of a Java error its last cause, for its first line names a call of py4j's alone."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    called = len(lines) > 1 and lines[0].startswith("An error occurred while calling")
    [reason] = causes[-1:] or lines[called : called + 1] or [type(error).__name__]
    # Spark names the file of its source in a cause of its own, which is not the last.
    file = next((found[1] for found in map(READING.search, causes) if found), None)
    return (f"{file}: " if file else "")[:300] + reason.removeprefix(": ")[:500]


def tell(files, options, result):
    """Leaves the result where RESULT_PATH says, for whoever goes on with it. None: an earlier run's is not this one's."""
    if options["RESULT_PATH"] == NONE:
        return
    if result is None:
        files.delete(options["RESULT_PATH"])
    else:
        files.write(options["RESULT_PATH"], json.dumps(result))


def run(spark, argv):
    """The job. @returns its result. @raises SplitError naming every table that failed, or what is wrong with the input before anything is written"""
    options = read_arguments(argv)
    files = Files(spark)
    tell(files, options, None)
    result = {"snapshot": None, "mode": options["MODE"], "source": {"files": 0, "rows": 0}, "notes": [], "tables": []}
    try:
        split_all(spark, files, options, result)
    except Exception as error:
        result["error"] = str(error) if isinstance(error, SplitError) else reason_of(error)
        raise
    finally:
        print(json.dumps(result), flush=True)
        tell(files, options, result)
    return result


def split_all(spark, files, options, result):
    entries = None
    if options["CSV_FILE"] != NONE:
        if not files.exists(options["CSV_FILE"]):
            raise SplitError(f"there is no split map {options['CSV_FILE']}")
        entries = read_map(files.read(options["CSV_FILE"]).decode("utf-8-sig"), options["CSV_FILE"])
    snapshot = result["snapshot"] = find_snapshot(files, options["SOURCE_PATH"], options["SNAPSHOT_DT"], options["MARKER"])
    source = Source(spark, files, f"{options['SOURCE_PATH']}snapshot_dt={snapshot}/")
    result["source"] = {"files": source.files, "rows": source.rows}
    tables, fatal, notes = single_table(source.columns, options) if entries is None else match_map(entries, source.columns, options)
    result["notes"] = notes
    if fatal or (notes and options["STRICT"] == "true"):
        found = [*fatal, *notes]
        more = f"\n  and {len(found) - 200} more" if len(found) > 200 else ""
        raise SplitError(f"the split map and the source of snapshot_dt={snapshot} do not go together:" + "".join(f"\n  {text}" for text in found[:200]) + more)
    for note in notes:
        print(f"note: {note}")
    print(f"{len(tables)} tables of snapshot_dt={snapshot}: {source.rows} rows in {source.files} files", flush=True)
    with ThreadPoolExecutor(options["TABLES_AT_ONCE"]) as pool:
        outcomes = result["tables"] = list(pool.map(lambda one: attempt(spark, files, source, *one, snapshot, options), tables.items()))
    failed = [one for one in outcomes if one["outcome"] == "failed"]
    if failed:
        reasons = "; ".join(f"{one['table']}: {one['reason']}" for one in failed)
        raise SplitError(f"{len(failed)} of {len(outcomes)} tables failed, and have the data that they had: {reasons}")
    if not options["TABLES_FILTER"] and options["HOLD"] == "false":
        files.write(f"{options['TARGET_PATH']}metadata/snapshot_dt.txt", f"{snapshot}\n")


if __name__ == "__main__":
    run(SparkSession.builder.getOrCreate(), sys.argv)
