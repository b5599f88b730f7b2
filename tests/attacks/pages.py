"""Tells what a byte of an SQLite file means: the table or index, and the column. Tests name what they damage."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEADER_BYTES = 100
LEAF_TABLE, INTERIOR_TABLE, LEAF_INDEX, INTERIOR_INDEX = 13, 5, 10, 2
FIXED_BYTES = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 7: 8, 8: 0, 9: 0}


class Places:
    """A place for each byte of a closed catalog; what is not named is free space or a page without an owner."""

    def __init__(self, path: Path) -> None:
        self._bytes = path.read_bytes()
        self._page_bytes = int.from_bytes(self._bytes[16:18], "big")
        self._places: dict[int, str] = dict.fromkeys(range(HEADER_BYTES), "file header")
        connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
        try:
            trees = connection.execute("SELECT name, tbl_name, rootpage, type FROM sqlite_schema WHERE rootpage > 0")
            for name, table, root, kind in trees.fetchall():
                columns = [row[1] for row in connection.execute(f"PRAGMA table_info('{table}')")]
                if kind == "index":
                    columns = [row[2] or "expression" for row in connection.execute(f"PRAGMA index_xinfo('{name}')")]
                elif re.search(r"WITHOUT ROWID", self._schema(connection, name), re.IGNORECASE):
                    # Its columns stand in the order of the primary key, then the others.
                    columns = [row[2] for row in connection.execute(f"PRAGMA index_xinfo('sqlite_autoindex_{name}_1')")]
                self._walk(root, name, columns)
            self._walk(1, "sqlite_schema", ["type", "name", "tbl_name", "rootpage", "sql"])
        finally:
            connection.close()

    def of(self, offset: int) -> str:
        return self._places.get(offset, "free space")

    @staticmethod
    def _schema(connection: sqlite3.Connection, name: str) -> str:
        (sql,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (name,)).fetchone()
        return str(sql)

    def _walk(self, page: int, tree: str, columns: list[str]) -> None:
        start = (page - 1) * self._page_bytes
        head = start + (HEADER_BYTES if page == 1 else 0)
        kind = self._bytes[head]
        if kind not in (LEAF_TABLE, INTERIOR_TABLE, LEAF_INDEX, INTERIOR_INDEX):
            return
        interior = kind in (INTERIOR_TABLE, INTERIOR_INDEX)
        cells = int.from_bytes(self._bytes[head + 3 : head + 5], "big")
        pointers = head + (12 if interior else 8)
        self._name(head, pointers + 2 * cells, f"{tree}: page header")
        for cell in range(cells):
            at = start + int.from_bytes(self._bytes[pointers + 2 * cell : pointers + 2 * cell + 2], "big")
            if interior:
                self._name(at, at + 4, f"{tree}: page header")
                self._walk(int.from_bytes(self._bytes[at : at + 4], "big"), tree, columns)
                at += 4
            if kind == INTERIOR_TABLE:
                self._name(at, self._number(at)[1], f"{tree}: rowid")
            else:
                self._cell(at, tree, columns, rowid=kind == LEAF_TABLE)
        if interior:
            self._walk(int.from_bytes(self._bytes[head + 8 : head + 12], "big"), tree, columns)

    def _cell(self, at: int, tree: str, columns: list[str], *, rowid: bool) -> None:
        _, after = self._number(at)
        self._name(at, after, f"{tree}: cell length")
        if rowid:
            at, after = after, self._number(after)[1]
            self._name(at, after, f"{tree}: rowid")
        size, types = self._number(after)
        content = after + size
        self._name(after, types, f"{tree}: record header")
        for column in self._columns(columns):
            if types >= after + size:
                break
            kind, following = self._number(types)
            self._name(types, following, f"{tree}.{column}: type")
            types = following
            length = FIXED_BYTES[kind] if kind < 12 else (kind - 12) // 2
            # What does not fit into the page goes on elsewhere, and stays without a name.
            self._name(content, content + length, f"{tree}.{column}")
            content += length

    @staticmethod
    def _columns(columns: list[str]) -> Iterator[str]:
        yield from columns
        number = len(columns)
        while True:
            yield f"column {number}"
            number += 1

    def _number(self, at: int) -> tuple[int, int]:
        """A varint, and where it ends."""
        value = 0
        for place in range(8):
            byte = self._bytes[at + place]
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value, at + place + 1
        return value << 8 | self._bytes[at + 8], at + 9

    def _name(self, start: int, stop: int, place: str) -> None:
        for offset in range(start, stop):
            self._places.setdefault(offset, place)
