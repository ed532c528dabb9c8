"""PyIceberg, DuckDB and pyarrow, serving what they read and doing what they are asked to a table."""

import datetime as dt
import glob
import os

os.environ["TZ"] = "UTC"

import duckdb  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from pyiceberg.catalog import load_catalog  # noqa: E402
from pyiceberg.catalog.sql import SqlCatalog  # noqa: E402
from pyiceberg.exceptions import CommitFailedException  # noqa: E402
from pyiceberg.expressions import AlwaysTrue  # noqa: E402
from pyiceberg.table.update import AssertRefSnapshotId, SetSnapshotRefUpdate  # noqa: E402
from pyiceberg.transforms import parse_transform  # noqa: E402

import canonical  # noqa: E402
import drops  # noqa: E402
from serve import serve  # noqa: E402

ALWAYS_TRUE = AlwaysTrue()


def open_catalog(lake):
    # A catalogue of any kind, by PyIceberg's own properties.
    if "properties" in lake:
        return load_catalog(lake["catalog"], **lake["properties"])
    # A pool of one connection each would hold the file open between questions.
    return SqlCatalog(lake["catalog"], uri=f"sqlite:///{lake['database']}", warehouse=lake["warehouse"])


def load(lake, table):
    return open_catalog(lake).load_table(table)


# Reading


def parquet_rows(paths, columns=None, where=None, without_null_lists=()):
    """
    The rows of files, or those that a condition chooses; a column that a file lacks is null there. In the columns
    `without_null_lists`, empty lists stand where nulls are.
    """
    found = []
    for path in paths:
        table = pq.ParquetFile(path).read()
        for name in columns or ():
            if name not in table.column_names:
                table = table.append_column(name, pa.nulls(len(table)))
        if where is not None:
            # By value alone: the file's own statistics take no part in what is expected.
            DUCKDB.register("chosen_from", table)
            table = DUCKDB.execute(f"select * from chosen_from where {where}").to_arrow_table()
            DUCKDB.unregister("chosen_from")
        kinds = {field.name: field.type for field in table.schema}
        for row in table.to_pylist():
            row = {name: canonical.typed(row[name], kinds[name]) for name in columns or kinds}
            found.append({**row, **{name: [] for name in without_null_lists if row[name] is None}})
    return canonical.lines(found)


def pyiceberg_rows(lake, table, snapshot=None, where=None):
    scan = load(lake, table).scan(snapshot_id=None if snapshot is None else int(snapshot), row_filter=where or ALWAYS_TRUE)
    return canonical.table_lines(scan.to_arrow())


def duckdb_connection():
    # Built into the wheels, for they are not downloaded here.
    folder = os.path.dirname(os.path.dirname(duckdb.__file__))
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    for name in ("avro", "iceberg"):
        [path] = glob.glob(f"{folder}/duckdb_extension_{name}/extensions/*/{name}.duckdb_extension")
        connection.execute(f"load '{path}'")
    connection.execute("set timezone = 'UTC'")
    return connection


DUCKDB = duckdb_connection()


def duckdb_rows(metadata, snapshot=None, where=None):
    at = "" if snapshot is None else f", snapshot_from_id = {int(snapshot)}"
    found = DUCKDB.execute(f"select * from iceberg_scan('{metadata}'{at}) where {where or 'true'}")
    return canonical.table_lines(found.to_arrow_table())


def duckdb_sql(statements):
    """The rows of the last statement. Extensions are loaded already: they cannot be installed here."""
    for statement in statements:
        if not statement.startswith(("INSTALL", "LOAD", "--")):
            found = DUCKDB.execute(statement)
    return canonical.table_lines(found.to_arrow_table())


def inspect(lake, table):
    """PyIceberg's metadata tables, those columns that say something whatever the files' names are."""
    view = load(lake, table).inspect

    def records(found, *columns):
        return [{name: canonical.scalar(row[name]) for name in columns} for row in found.to_pylist()]

    return {
        "snapshots": records(view.snapshots(), "snapshot_id", "parent_id", "operation"),
        "history": records(view.history(), "snapshot_id", "parent_id", "is_current_ancestor"),
        "refs": records(view.refs(), "name", "type", "snapshot_id"),
        "manifests": records(
            view.manifests(),
            "content",
            "added_snapshot_id",
            "added_data_files_count",
            "existing_data_files_count",
            "deleted_data_files_count",
        ),
        "files": records(view.files(), "content", "file_path", "record_count", "file_size_in_bytes"),
        "partitions": records(view.partitions(), "record_count", "file_count"),
    }


METRICS = ("column_sizes", "value_counts", "null_value_counts", "nan_value_counts")
BOUNDS = ("lower_bounds", "upper_bounds")


def entries(lake, table, snapshot=None):
    """What the manifests say of each live data file, by file path."""
    loaded = load(lake, table)
    at = loaded.snapshot_by_id(int(snapshot)) if snapshot else loaded.current_snapshot()
    found = {}
    for manifest in at.manifests(loaded.io) if at else []:
        for entry in manifest.fetch_manifest_entry(loaded.io):
            file = entry.data_file
            found[file.file_path] = {
                "partition": [canonical.scalar(file.partition[i]) for i in range(len(file.partition))],
                "record_count": file.record_count,
                "file_size_in_bytes": file.file_size_in_bytes,
                "split_offsets": list(file.split_offsets or []),
                **{name: {str(k): v for k, v in (getattr(file, name) or {}).items()} for name in METRICS},
                **{name: {str(k): v.hex() for k, v in (getattr(file, name) or {}).items()} for name in BOUNDS},
            }
    return found


def add_files(lake, like, table, path):
    """Registers a file in a new table with the columns, ids and partitioning of another: what PyIceberg itself says of it."""
    model = load(lake, like)
    made = open_catalog(lake).create_table(
        table, schema=model.schema(), partition_spec=model.spec(), properties=model.properties
    )
    made.add_files([path])
    [entry] = entries(lake, table).values()
    return entry


def null_counts(path):
    """
    Nulls of each column by dotted path. `nulls`, as `lakegate audit` counts them: of a top-level column the rows that are null, of
    what is nested those that are null where the parent is there. `entries`, as a manifest has them: outside lists and maps, what is
    in a null struct counts too.
    """
    table = pq.ParquetFile(path).read()
    nulls, entries = {}, {}

    def visit(array, name, above):
        nulls[name] = array.null_count
        entries[name] = array.null_count + above
        present = array.filter(array.is_valid()) if array.null_count else array
        kind = array.type
        if pa.types.is_struct(kind):
            for field, child in zip(kind, present.flatten()):
                visit(child, f"{name}.{field.name}", entries[name] if repeated(name) == 0 else 0)
        elif pa.types.is_map(kind):
            visit(map_side(present, "keys"), f"{name}.key", 0)
            visit(map_side(present, "items"), f"{name}.value", 0)
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
            visit(present.flatten(), f"{name}.element", 0)

    def repeated(name):
        return len(set(name.split(".")) & {"element", "key", "value"})

    for name in table.column_names:
        chunked = table[name]
        visit(pa.concat_arrays(chunked.chunks) if chunked.num_chunks else pa.nulls(0, chunked.type), name, 0)
    return {"rows": table.num_rows, "nulls": nulls, "entries": entries}


def map_side(array, side):
    start, end = (array.offsets[0].as_py(), array.offsets[-1].as_py()) if len(array) else (0, 0)
    return getattr(array, side).slice(start, end - start)


# Changing


def append(lake, table, paths):
    loaded = load(lake, table)
    for path in paths:
        rows = pq.ParquetFile(path).read()
        while True:
            try:
                loaded.append(rows)
                break
            except (CommitFailedException, ValueError) as error:
                # PyIceberg 0.12 answers a commit to another branch of the table, which takes the sequence number, with a ValueError.
                if isinstance(error, ValueError) and "sequence number" not in str(error):
                    raise
                loaded.refresh()


def race_for_tag(lake, table, name, snapshot):
    """Makes a tag that must not be there. Whether this commit was the one that made it."""
    loaded = load(lake, table)
    try:
        loaded.catalog.commit_table(
            loaded,
            (AssertRefSnapshotId(ref=name, **{"snapshot-id": None}),),
            (SetSnapshotRefUpdate(ref_name=name, type="tag", snapshot_id=int(snapshot)),),
        )
        return True
    except CommitFailedException:
        return False


def delete(lake, table, where):
    load(lake, table).delete(where)


def overwrite(lake, table, path, where):
    load(lake, table).overwrite(pq.ParquetFile(path).read(), overwrite_filter=where)


def lay_out(lake):
    """Makes the catalogue's own tables, as PyIceberg does when it opens a new one."""
    open_catalog(lake)


def create(lake, table, path, partition=()):
    """A table of PyIceberg's own, with the columns of a file."""
    catalog = open_catalog(lake)
    catalog.create_namespace_if_not_exists(table.rsplit(".", 1)[0])
    made = catalog.create_table(table, schema=pq.ParquetFile(path).schema_arrow)
    with made.update_spec() as spec:
        for column, transform in partition:
            spec.add_field(column, parse_transform(transform), f"{column}_{transform.split('[')[0]}")


def evolve(lake, table, add=(), rename=(), drop=()):
    from pyiceberg.types import StringType

    with load(lake, table).update_schema(allow_incompatible_changes=True) as change:
        for name in add:
            change.add_column(name, StringType())
        for old, new in rename:
            change.rename_column(old, new)
        for name in drop:
            change.delete_column(name)


def respec(lake, table, add=(), drop=()):
    with load(lake, table).update_spec() as spec:
        for column, transform, name in add:
            spec.add_field(column, parse_transform(transform), name)
        for name in drop:
            spec.remove_field(name)


def expire(lake, table):
    """Keeps of main's history what refs need."""
    load(lake, table).maintenance.expire_snapshots().older_than(dt.datetime.now()).commit()


def branch(lake, table, name):
    loaded = load(lake, table)
    loaded.manage_snapshots().create_branch(loaded.current_snapshot().snapshot_id, name).commit()


serve(
    {
        "drop": lambda **about: drops.drop(**about),
        **{
            operation.__name__: operation
            for operation in (
                parquet_rows,
                pyiceberg_rows,
                duckdb_rows,
                duckdb_sql,
                inspect,
                entries,
                add_files,
                null_counts,
                append,
                race_for_tag,
                delete,
                overwrite,
                lay_out,
                create,
                evolve,
                respec,
                expire,
                branch,
            )
        },
    }
)
