"""Reads a memory without Porism, with nothing but Python: what ``docs/format.md`` says is all there is."""

import sqlite3
import struct
import sys
import zlib
from pathlib import Path

memory = Path(sys.argv[1] if len(sys.argv) > 1 else "lemmas.porism")

# Every page of the catalog ends with a tag and the CRC-32 of its number and of all bytes before the tag.
catalog = (memory / "catalog.sqlite").read_bytes()
page_bytes = struct.unpack_from(">H", catalog, 16)[0]
for number, start in enumerate(range(0, len(catalog), page_bytes), start=1):
    page = catalog[start : start + page_bytes]
    tag, checksum = struct.unpack("<4sI", page[-8:])
    assert (tag, checksum) == (b"crc1", zlib.crc32(struct.pack("<Q", number) + page[:-8])), f"page {number} is damaged"

with sqlite3.connect(f"file:{memory / 'catalog.sqlite'}?mode=ro", uri=True) as connection:
    (segment, dimension, identity) = connection.execute("SELECT segment, dimension, identity FROM memory").fetchone()
    records = connection.execute(
        "SELECT id, name, statement, row, row_checksum FROM record WHERE died IS NULL ORDER BY id"
    ).fetchall()
    # Rows that a power cut may have taken from their file.
    pending = dict(connection.execute("SELECT row, vector FROM pending_row, memory WHERE row >= synced_rows"))

rows = (memory / f"rows-{segment:06}.f32").read_bytes()
magic, version, stored_dimension, stored_identity = struct.unpack_from("<8sII16s", rows)
assert (magic, version) == (b"porismF\n", 2)
assert (stored_dimension, stored_identity) == (dimension, identity)
assert struct.unpack_from("<I", rows, 60)[0] == zlib.crc32(rows[:60])

for number, name, statement, row, checksum in records:
    vector = pending.get(row, rows[64 + 4 * dimension * row :][: 4 * dimension])
    assert zlib.crc32(vector) == checksum, f"row {row} is damaged"
    length = sum(x * x for x in struct.unpack(f"<{dimension}f", vector)) ** 0.5
    print(f"{number} {name}: {statement}  (a vector of length {length:.3f})")
