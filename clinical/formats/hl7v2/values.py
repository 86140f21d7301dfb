"""OBX-5 by the type that OBX-2 names; what is not of its type is kept as text, with a finding."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, TypeAlias

from clinical.domain.hl7 import Attachment, Coded, Quantity, Structured, Text, Value
from clinical.domain.hl7_findings import Place
from clinical.formats.hl7v2.message import Components, Segment
from clinical.formats.hl7v2.reader import Reader
from clinical.formats.hl7v2.times import Untimely, date_of, moment_of

# The largest attachment kept, decoded, in bytes: the frame limit's worth of base64.
LARGEST: Final = 12 * 1024 * 1024
# Longer numbers are no measurements; PostgreSQL's numeric and every reader hold 40 digits.
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})", re.ASCII)
_COMPARATORS: Final = frozenset({"", "<", ">", "<=", ">=", "=", "<>"})
_SEPARATORS: Final = frozenset({"", "-", "+", "/", ".", ":"})
# Types that are read as text without a finding, since no more of them is used.
_WORDS: Final = frozenset(
    {"ST", "TX", "FT", "TM", "TN", "XTN", "AD", "XAD", "PN", "XPN", "CN", "XCN", "CX", "CK"}
    | {"EI", "MO", "CP", "RP", "HD", "XON", "DR", "NA", "MA"}
)


class Mistyped(Exception):
    """A value is not of its type; `rule` names the check. The value is not quoted."""

    def __init__(self, rule: str = "obx5.type") -> None:
        super().__init__(rule)
        self.rule = rule


def value_of(reader: Reader, obx: Segment, kind: str, raw: str, place: Place) -> Value:
    """One repetition of OBX-5 as a value of its type, or as text with a finding."""
    read = _READERS.get(kind)
    try:
        if read is not None:
            return read(reader, obx.components(raw), place)
        if kind not in _WORDS:
            raise Mistyped("obx2.table")
    except (Mistyped, Untimely) as fault:
        # A wrong date is told by its own rule, in the same place as any other wrong value.
        reader.checks.broken(fault.rule, place)
        if fault.rule == "obx5.size":
            return Text("")
    return Text(obx.whole(raw))


def _number(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise Mistyped
    return Decimal(text)


def _quantity(_reader: Reader, components: Components, _place: Place) -> Quantity:
    return Quantity(_number(components.text(1).strip()))


def _structured(_reader: Reader, components: Components, _place: Place) -> Structured:
    comparator, first, separator, second = (
        components.text(number).strip() for number in (1, 2, 3, 4)
    )
    if comparator not in _COMPARATORS or separator not in _SEPARATORS or not (first or second):
        raise Mistyped
    return Structured(
        comparator,
        _number(first) if first else None,
        separator,
        _number(second) if second else None,
    )


def _coded(reader: Reader, components: Components, place: Place) -> Coded:
    return reader.coded(components, place)


def _code_alone(reader: Reader, components: Components, place: Place) -> Coded:
    return Coded(code=reader.words(components, 1, place))


def _date(_reader: Reader, components: Components, _place: Place) -> Value:
    return date_of(components.text(1))


def _moment(reader: Reader, components: Components, _place: Place) -> Value:
    return moment_of(components.text(1), reader.terms.zone)


def _attachment(reader: Reader, components: Components, place: Place) -> Attachment:
    """ED: source^type^subtype^encoding^content."""
    kind, subtype, encoding = (reader.words(components, part, place) for part in (2, 3, 4))
    read = _ENCODINGS.get(encoding.upper())
    if read is None:
        raise Mistyped
    content = components.component(5)
    # Four signs of base64 make three bytes; hexadecimal and plain text make no more than that.
    if len(content) // 4 * 3 > LARGEST:
        raise Mistyped("obx5.size")
    return Attachment(kind, subtype, read(components))


def _from_base64(components: Components) -> bytes:
    # Some senders break lines, as `\.br\` or as plain line feeds.
    text = components.text(5)
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Mistyped from None


def _from_hexadecimal(components: Components) -> bytes:
    try:
        return bytes.fromhex(components.text(5))
    except ValueError:
        raise Mistyped from None


def _from_text(components: Components) -> bytes:
    return components.text(5).encode()


_ENCODINGS: Final[Mapping[str, Callable[[Components], bytes]]] = {
    "A": _from_text,
    "": _from_text,
    "HEX": _from_hexadecimal,
    "BASE64": _from_base64,
}
_Read: TypeAlias = Callable[[Reader, Components, Place], Value]
_READERS: Final[Mapping[str, _Read]] = {
    "NM": _quantity,
    "SN": _structured,
    "CE": _coded,
    "CWE": _coded,
    "CNE": _coded,
    "CF": _coded,
    "ID": _code_alone,
    "IS": _code_alone,
    "DT": _date,
    "TS": _moment,
    "DTM": _moment,
    "ED": _attachment,
}
