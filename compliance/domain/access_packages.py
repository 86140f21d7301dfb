"""The package: one JSON document in parts, of which each service writes a section.

    {"manifest":{…}
    ,"auth":[…]
    ,"clinical":[…]
    }

The parts in the order of their positions are the document. Sections are written as they come, so
that neither a worker nor a transaction ever holds a whole one; the manifest comes last and stands
first.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

PART_BYTES = 512 * 1024
"""Of the document in one answer; as base64 in JSON still less than 1 MiB."""

SECTION_POSITIONS = 1_000_000
"""Positions of a section: at half a MiB each more than any person's record."""

END = 2**62
"""The position of the last part."""


class NotWhole(Exception):
    """A service's answer ended early, or tells of other rows than it handed over."""


def positions_of(ordinal: int) -> tuple[int, int]:
    """The first position of a section, and the one behind its last. Section 0 is the manifest."""
    return ordinal * SECTION_POSITIONS, (ordinal + 1) * SECTION_POSITIONS


class Section:
    """What one service hands over, cut into parts, counted and digested as it comes.

    The digest is that of the section's array, from `[` to `]`, as it stands in the document.
    """

    def __init__(self, service: str) -> None:
        self._waiting = bytearray(b"\n," + json.dumps(service).encode() + b":")
        self._digest = hashlib.sha256()
        self._inside = ""
        self.counts: Counter[str] = Counter()
        self._write("[")

    def add(self, table: str, values: str, *, continues: bool) -> Iterator[bytes]:
        """Take a record, or a piece of one; the parts that are full. Raises NotWhole."""
        if self._inside and self._inside != table:
            raise NotWhole
        if not self._inside:
            comma = "," if self.counts.total() else ""
            self._write(f'{comma}\n{{"table":{json.dumps(table)},"values":')
        self._write(values)
        self._inside = table if continues else ""
        if not continues:
            self._write("}")
            self.counts[table] += 1
        yield from self._full()

    def end(self, told: Mapping[str, int]) -> tuple[list[bytes], bytes]:
        """The last parts, and the digest. Raises NotWhole unless each table has the rows told."""
        if self._inside or self.counts != Counter(told):
            raise NotWhole
        self._write("]")
        return [*self._full(), bytes(self._waiting)], self._digest.digest()

    def _write(self, text: str) -> None:
        encoded = text.encode()
        self._digest.update(encoded)
        self._waiting += encoded

    def _full(self) -> Iterator[bytes]:
        while len(self._waiting) > PART_BYTES:
            yield bytes(self._waiting[:PART_BYTES])
            del self._waiting[:PART_BYTES]


def manifest_parts(manifest: Mapping[str, Any]) -> list[bytes]:
    """The beginning of the document, in parts."""
    text = json.dumps({"manifest": manifest}, ensure_ascii=False, indent=1).encode()
    # The object stays open for the sections.
    opened = text.removesuffix(b"\n}")
    return [opened[at : at + PART_BYTES] for at in range(0, len(opened), PART_BYTES)]


LAST_PART = b"\n}\n"
"""What closes the document."""


def categories_of(tables: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many rows hold something of each category, by category."""
    counts: Counter[str] = Counter()
    for table in tables:
        if table["count"]:
            for category in {field["category"] for field in table["fields"] if field["category"]}:
                counts[category] += table["count"]
    return dict(sorted(counts.items()))
