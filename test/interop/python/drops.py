"""Makes files to drop: the same rows by any writer. All rows follow from their numbers, so nothing is random."""

import csv
import datetime as dt
import gzip
import io
import json
import uuid
from decimal import Decimal

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

DAY = dt.datetime(2024, 2, 27, 22, 30, 0, 123456)
REGIONS = ["north", "süd", "east", "🌊 west coast of nowhere in particular"]


def text(i):
    return None if i % 7 == 3 else f"note number {i:06d} with ünïcode 🎈 {'x' * (i % 40)}"


def flat(start, rows, region=None, day=None):
    """Every flat type that all engines have; nulls in every column but the first four."""
    span = range(start, start + rows)

    def maybe(i, value):
        return None if i % 11 == 5 else value

    at = [DAY + dt.timedelta(days=day if day is not None else i % 45, minutes=i % 60) for i in span]
    return pa.table(
        {
            "id": pa.array(span, pa.int64()),
            "region": pa.array([region or REGIONS[i % len(REGIONS)] for i in span], pa.string()),
            "ts": pa.array(at, pa.timestamp("us")),
            "day": pa.array([moment.date() for moment in at], pa.date32()),
            "ts_utc": pa.array([maybe(i, moment) for i, moment in zip(span, at)], pa.timestamp("us", tz="UTC")),
            "qty": pa.array([maybe(i, i - 50) for i in span], pa.int32()),
            "price": pa.array([maybe(i, (i - 20) / 7) for i in span], pa.float64()),
            "share": pa.array([maybe(i, i / 3) for i in span], pa.float32()),
            "ok": pa.array([maybe(i, i % 2 == 0) for i in span], pa.bool_()),
            "amount": pa.array([maybe(i, Decimal(i - 30) / 100) for i in span], pa.decimal128(12, 2)),
            "big": pa.array([maybe(i, Decimal(10) ** 24 * (i - 9)) for i in span], pa.decimal128(30, 2)),
            "note": pa.array([text(i) for i in span], pa.string()),
            "raw": pa.array([maybe(i, bytes([i % 256, 255, i % 7]) * (i % 9)) for i in span], pa.binary()),
        }
    )


def nested(start, rows, region=None, day=None):
    """Structs, lists, maps and lists of structs; empty ones and nulls on every level."""
    span = range(start, start + rows)

    def who(i):
        if i % 6 == 0:
            return None
        return {
            "name": text(i),
            "address": None if i % 5 == 0 else {"city": None if i % 4 == 0 else f"city {i % 9}", "zip": i},
        }

    def items(i):
        if i % 6 == 1:
            return None
        return [None if j == 2 else {"sku": f"s{j}", "qty": None if j == 1 else i * j} for j in range(i % 4)]

    address = pa.struct([("city", pa.string()), ("zip", pa.int32())])
    item = pa.struct([("sku", pa.string()), ("qty", pa.int64())])
    return pa.table(
        {
            "id": pa.array(span, pa.int64()),
            "who": pa.array([who(i) for i in span], pa.struct([("name", pa.string()), ("address", address)])),
            "tags": pa.array(
                [None if i % 5 == 0 else [None if j == 1 else f"t{j}" for j in range(i % 4)] for i in span],
                pa.list_(pa.string()),
            ),
            "attrs": pa.array(
                [None if i % 5 == 1 else [(f"k{j}", None if j == 1 else i + j) for j in range(i % 3)] for i in span],
                pa.map_(pa.string(), pa.int32()),
            ),
            "items": pa.array([items(i) for i in span], pa.list_(item)),
            "grid": pa.array(
                [None if i % 7 == 0 else [None if j == 1 else [j, None][: j + 1] for j in range(i % 3)] for i in span],
                pa.list_(pa.list_(pa.int32())),
            ),
        }
    )


def widened(start, rows, region=None, day=None):
    """`flat` after its types were widened and columns were added: what a table takes on under add_columns."""
    table = flat(start, rows, region, day)
    wider = {"qty": pa.int64(), "share": pa.float64(), "amount": pa.decimal128(18, 2)}
    for name, kind in wider.items():
        table = table.set_column(table.schema.get_field_index(name), name, table[name].cast(kind))
    table = table.append_column("level", pa.array([None if i % 3 == 0 else i for i in range(rows)], pa.int16()))
    return table.append_column("more", pa.array([{"a": i, "b": [f"b{i}"]} for i in range(rows)]))


def nested_more(start, rows, region=None, day=None, land="DE", unit="kg"):
    """`nested` with a field more inside a struct and inside a list's struct."""
    table = nested(start, rows)
    item = pa.struct([("sku", pa.string()), ("qty", pa.int64()), ("unit", pa.string())])
    items = [
        None if row is None else [None if one is None else {**one, "unit": unit} for one in row]
        for row in table["items"].to_pylist()
    ]
    address = pa.struct([("city", pa.string()), ("zip", pa.int32()), ("land", pa.string())])
    who = [
        None
        if row is None
        else {**row, "address": None if row["address"] is None else {**row["address"], "land": land}}
        for row in table["who"].to_pylist()
    ]
    table = table.set_column(
        table.schema.get_field_index("who"),
        "who",
        pa.array(who, pa.struct([("name", pa.string()), ("address", address)])),
    )
    return table.set_column(table.schema.get_field_index("items"), "items", pa.array(items, pa.list_(item)))


def nested_grown(start, rows, region=None, day=None):
    """`nested` as it is read once the table has what `nested_more` brought."""
    return nested_more(start, rows, land=None, unit=None)


def empty(start, rows, region=None, day=None):
    return flat(start, 0)


def all_null(start, rows, region=None, day=None):
    """`flat` with nothing in any column, nested ones included."""
    kinds = [*flat(0, 1).schema, *list(nested(0, 1).schema)[1:]]
    return pa.table({field.name: pa.nulls(rows, field.type) for field in kinds})


def odd(start, rows, region=None, day=None):
    """Types beyond the common ones, and values that trip statistics up: NaN, both zeros, long text, the ends of ranges."""
    span = range(start, start + rows)
    floats = [float("nan"), 0.0, -0.0, float("inf"), 1.5]
    return pa.table(
        {
            "id": pa.array(span, pa.int64()),
            "i8": pa.array([i % 256 - 128 for i in span], pa.int8()),
            "i16": pa.array([i % 65536 - 32768 for i in span], pa.int16()),
            "ends": pa.array([[-(2**63), 2**63 - 1, None][i % 3] for i in span], pa.int64()),
            "nan": pa.array([floats[i % 5] for i in span]),
            "zero": pa.array([[0.0, -0.0][i % 2] for i in span]),
            "only_nan": pa.array([float("nan")] * rows, pa.float32()),
            "all_null": pa.nulls(rows, pa.int32()),
            "time": pa.array([dt.time(i % 24, i % 60, i % 60, i) for i in span], pa.time64("us")),
            "ms": pa.array([DAY.replace(microsecond=i % 1000 * 1000) for i in span], pa.timestamp("ms")),
            "long_text": pa.array(["é" * (14 + i % 5) + "\U0010ffff" * (i % 4) for i in span]),
            "top": pa.array(["\U0010ffff" * 20 for _ in span]),
            "long_bytes": pa.array([b"\xff" * (15 + i % 4) for i in span], pa.binary()),
            "fixed": pa.array([bytes([i % 256]) * 6 for i in span], pa.binary(6)),
            "dec4": pa.array([Decimal(i - 2) / 10 for i in span], pa.decimal128(4, 1)),
            "dec38": pa.array([Decimal(i - 2) * Decimal(10) ** 30 for i in span], pa.decimal128(38, 3)),
        }
    )


def unsigned(start, rows, region=None, day=None):
    """Types that Iceberg has no equal of."""
    span = range(start, start + rows)
    return pa.table(
        {
            "id": pa.array(span, pa.int64()),
            "u8": pa.array([i % 256 for i in span], pa.uint8()),
            "u16": pa.array([65535 - i % 7 for i in span], pa.uint16()),
            "u32": pa.array([2**32 - 1 - i if i % 3 else None for i in span], pa.uint32()),
        }
    )


SHAPES = {
    "flat": flat,
    "nested": nested,
    "widened": widened,
    "nested_more": nested_more,
    "nested_grown": nested_grown,
    "empty": empty,
    "all_null": all_null,
    "odd": odd,
    "unsigned": unsigned,
}


def cell(value):
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="microseconds") + ("Z" if value.tzinfo else "")
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def as_csv(table):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.column_names)
    for row in table.to_pylist():
        moments = {name: row[name].replace(tzinfo=None) for name in row if isinstance(row[name], dt.datetime)}
        cells = {**row, **moments}
        zoned = {field.name for field in table.schema if pa.types.is_timestamp(field.type) and field.type.tz}
        writer.writerow([cell(cells[name]) + ("Z" if name in zoned and cells[name] else "") for name in row])
    return out.getvalue().encode()


def as_json(value):
    if isinstance(value, (dt.datetime, Decimal, uuid.UUID)):
        return cell(value) if isinstance(value, dt.datetime) else str(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(type(value))


def as_jsonl(table):
    zoned = {field.name for field in table.schema if pa.types.is_timestamp(field.type) and field.type.tz}
    out = []
    for row in table.to_pylist():
        for name, value in row.items():
            if isinstance(value, dt.datetime):
                row[name] = value.replace(tzinfo=None).isoformat() + ("Z" if name in zoned else "")
        out.append(json.dumps(row, default=as_json, ensure_ascii=False))
    return ("\n".join(out) + "\n").encode()


TEXT = {"csv": as_csv, "jsonl": as_jsonl}
PACK = {"gz": gzip.compress, "zst": lambda data: zstandard.compress(data)}


def write(table, path, writer, options):
    if writer == "pyarrow":
        pq.write_table(table, path, **options)
    elif writer == "polars":
        pl.from_arrow(table).write_parquet(path, **options)
    elif writer == "duckdb":
        connection = duckdb.connect()
        connection.execute("set timezone = 'UTC'")
        connection.register("source", table)
        settings = "".join(f", {key} {value}" for key, value in options.items())
        connection.execute(f"copy source to '{path}' (format parquet{settings})")
        connection.close()
    elif writer in TEXT:
        data = TEXT[writer](table)
        pack = PACK.get(path.rsplit(".", 1)[-1])
        with open(path, "wb") as file:
            file.write(pack(data) if pack else data)
    else:
        raise ValueError(f"no writer {writer}")


def drop(path, shape, writer, start=0, rows=100, region=None, day=None, columns=None, options=None):
    """Writes a file; beside text, a Parquet file of the same rows says what they are."""
    table = SHAPES[shape](start, rows, region, day)
    if columns is not None:
        table = table.select(columns)
    write(table, path, writer, options or {})
    if writer in TEXT:
        pq.write_table(table, f"{path}.truth.parquet")
