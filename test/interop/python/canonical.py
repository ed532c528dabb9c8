"""Rows of any engine as text that is equal exactly when the values are: JSON, keys sorted, rows sorted, no digit lost."""

import datetime as dt
import decimal
import json
import re
import uuid

import pyarrow as pa

UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


def scalar(value):
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        # NaN has no equal in JSON, and 1.0 and 1 are the same double.
        return "NaN" if value != value else repr(value)
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime):
        # Engines differ in whether they hand out a zone; the instant is what counts.
        naive = value.astimezone(dt.timezone.utc).replace(tzinfo=None) if value.tzinfo else value
        return naive.isoformat(timespec="microseconds")
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return value.hex
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, str):
        # Spark has no uuid type: it hands out text.
        return value.replace("-", "") if UUID.match(value) else value
    raise TypeError(f"no canonical form for a {type(value).__name__}")


def typed(value, kind):
    """A value of pyarrow's `to_pylist`, by its Arrow type: there a map is a list of pairs and a struct a dict."""
    if value is None:
        return None
    if pa.types.is_struct(kind):
        return {field.name: typed(value[field.name], field.type) for field in kind}
    if pa.types.is_map(kind):
        return pairs((typed(key, kind.key_type), typed(item, kind.item_type)) for key, item in value)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return [typed(item, kind.value_type) for item in value]
    return scalar(value)


def pairs(items):
    return {"map": sorted(([key, item] for key, item in items), key=json.dumps)}


def lines(rows):
    # As JavaScript writes JSON, so that a test may edit a row.
    return sorted(json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(",", ":")) for row in rows)


def table_lines(table):
    columns = [(field.name, field.type) for field in table.schema]
    return lines({name: typed(row[name], kind) for name, kind in columns} for row in table.to_pylist())
