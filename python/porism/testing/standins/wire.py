"""Bytes in, bytes out: two descriptors and a buffer of our own, so that one can ask whether something waits."""

from __future__ import annotations

import os
import select

LARGEST_REQUEST = 1 << 28
_PIECE = 1 << 16


class Wire:
    """Two descriptors: requests come from one, answers go to the other."""

    def __init__(self, source: int, target: int) -> None:
        self._source = source
        self._target = target
        self._buffer = bytearray()

    def more(self) -> bytes:
        """What has arrived; waits for at least one byte. Empty at the end."""
        if self._buffer:
            taken = bytes(self._buffer)
            self._buffer.clear()
            return taken
        return os.read(self._source, _PIECE)

    def line(self) -> bytes:
        """One line with its end; the rest, perhaps nothing, at the end of input."""
        seen = 0
        while (end := self._buffer.find(b"\n", seen)) < 0:
            seen = len(self._buffer)
            if not self._fill():
                return self._take(seen)
        return self._take(end + 1)

    def exactly(self, size: int) -> bytes:
        """So many bytes; fewer at the end of input."""
        if size > LARGEST_REQUEST:
            raise SystemExit(f"a request of {size} bytes")
        while len(self._buffer) < size and self._fill():
            pass
        return self._take(min(size, len(self._buffer)))

    def rest(self) -> bytes:
        """Everything up to the end of input."""
        while self._fill():
            pass
        return self._take(len(self._buffer))

    def waits(self, seconds: float) -> bool:
        """Whether a request arrives within so many seconds."""
        return bool(self._buffer) or bool(select.select([self._source], [], [], seconds)[0])

    def write(self, data: bytes, piece: int = 0) -> None:
        """Writes all, in pieces of so many bytes if asked to."""
        step = piece or len(data) or 1
        for start in range(0, len(data), step):
            part = memoryview(data)[start : start + step]
            while part:
                part = part[os.write(self._target, part) :]

    def close(self) -> None:
        """Closes the way out."""
        os.close(self._target)

    def _fill(self) -> bool:
        if len(self._buffer) > LARGEST_REQUEST:
            raise SystemExit("a request without end")
        more = os.read(self._source, _PIECE)
        self._buffer += more
        return bool(more)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken
