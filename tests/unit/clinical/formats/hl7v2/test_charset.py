"""Charsets: what MSH-18 says, checked against the bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.formats.hl7v2.charset import Decoded, codec_of, decode
from clinical.formats.hl7v2.header import Header
from clinical.formats.hl7v2.rules import GENERIC, RULES, Policy, Profile

NAMES = "Œuvray^Zoë^Noël"


def _raw(label: str, body: bytes) -> bytes:
    return b"MSH|^~\\&|A|B|C|D|||ADT^A01|1|P|2.5||||||" + label.encode() + b"\rPID|" + body + b"\r"


def _decode(raw: bytes, profile: Profile = GENERIC, fallback: str = "") -> Decoded:
    return decode(raw, Header.of(raw), profile, fallback=fallback)


def _rules(decoded: Decoded) -> list[str]:
    return [finding.rule for finding in decoded.findings]


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("UNICODE UTF-8", "utf-8"),
        ("UTF-8", "utf-8"),
        ("utf8", "utf-8"),
        ("8859/15", "iso8859-15"),
        ("ISO-8859-15", "iso8859-15"),
    ],
)
def test_a_declared_charset_is_used(label: str, codec: str) -> None:
    """HL70211 and the spellings met in the field decode accents without a finding."""
    decoded = _decode(_raw(label, NAMES.encode(codec)))

    assert NAMES in (decoded.text or "")
    assert (decoded.charset, decoded.findings) == (codec, ())


@pytest.mark.parametrize("part", ["1", "2", "3", "4", "5", "6", "7", "8", "9", "15"])
def test_every_part_of_iso_8859_is_known(part: str) -> None:
    """HL70211 names ten parts."""
    assert _decode(_raw(f"8859/{part}", b"ANNE")).charset == f"iso8859-{part}"


def test_parts_1_and_15_differ_where_french_needs_it() -> None:
    """The byte of œ is a fraction in 8859/1."""
    assert "œ" in (_decode(_raw("8859/15", b"c\xbdur")).text or "")
    assert "½" in (_decode(_raw("8859/1", b"c\xbdur")).text or "")


@pytest.mark.parametrize(
    ("body", "fallback", "charset"),
    [
        (NAMES.encode(), "", "utf-8"),
        (NAMES.encode("cp1252"), "", "windows-1252"),
        (NAMES.encode("iso8859-15"), "8859/15", "iso8859-15"),
        (NAMES.encode(), "8859/15", "utf-8"),
        (NAMES.encode("cp1252"), "nonsense", "windows-1252"),
    ],
)
def test_without_a_declaration_the_bytes_decide(body: bytes, fallback: str, charset: str) -> None:
    """UTF-8 if valid, else the endpoint's fallback, else windows-1252."""
    decoded = _decode(_raw("", body), fallback=fallback)

    assert NAMES in (decoded.text or "")
    assert (decoded.charset, decoded.findings) == (charset, ())


@pytest.mark.parametrize(
    ("label", "body", "rule", "charset"),
    [
        ("8859/1", NAMES.encode(), "charset.utf8-undeclared", "utf-8"),
        ("8859/15", NAMES.encode(), "charset.utf8-undeclared", "utf-8"),
        ("8859/1", NAMES.encode("cp1252"), "charset.windows-1252", "iso8859-1"),
        ("UNICODE UTF-8", NAMES.encode("cp1252"), "charset.undecodable", "windows-1252"),
        ("ASCII", NAMES.encode(), "charset.ascii", "utf-8"),
        ("ASCII", NAMES.encode("cp1252"), "charset.ascii", "windows-1252"),
    ],
)
def test_a_false_declaration_is_a_finding_and_the_names_are_right(
    label: str, body: bytes, rule: str, charset: str
) -> None:
    """The lenient profile reads what the bytes are, and says so."""
    decoded = _decode(_raw(label, body))

    assert NAMES in (decoded.text or "")
    assert (_rules(decoded), decoded.charset) == ([rule], charset)


@pytest.mark.parametrize(
    ("label", "body", "rule"),
    [
        ("8859/1", NAMES.encode(), "charset.utf8-undeclared"),
        ("8859/1", NAMES.encode("cp1252"), "charset.windows-1252"),
        ("UNICODE UTF-8", b"\xe9", "charset.undecodable"),
        ("ASCII", b"\xe9", "charset.ascii"),
    ],
)
def test_a_strict_endpoint_refuses_a_false_declaration(label: str, body: bytes, rule: str) -> None:
    """A rejected declaration leaves no text to read."""
    decoded = _decode(_raw(label, body), GENERIC.having({rule: Policy.REJECT}))

    assert decoded.text is None
    assert _rules(decoded) == [rule]


def test_a_rule_that_is_off_takes_the_declaration_as_it_is() -> None:
    """The bytes are read as declared, without a finding."""
    off = GENERIC.having({"charset.utf8-undeclared": Policy.OFF})

    assert _decode(_raw("8859/1", "é".encode()), off).text == _raw("8859/1", b"").decode().replace(
        "PID|", "PID|Ã©"
    )


def test_the_five_holes_of_windows_1252_do_not_crash() -> None:
    """Python's codec raises on them; they stay control characters here."""
    assert _decode(_raw("8859/1", b"\x81\x8d\x8f\x90\x9d\x80")).text is not None
    assert _decode(_raw("WINDOWS-1252", b"\x81\x8d\x8f\x90\x9d\x80")).text is not None


@pytest.mark.parametrize(
    ("label", "rule"),
    [
        ("KLINGON", "charset.unknown"),
        ("UNICODE UTF-16", "charset.utf16"),
        ("UNICODE", "charset.utf16"),
        ("ISO IR87", "charset.switching"),
        ("8859/1~ISO IR87", "charset.switching"),
        ("~ISO IR87", "charset.switching"),
    ],
)
def test_what_cannot_be_read_is_refused(label: str, rule: str) -> None:
    """The finding is typed, and no text comes of it."""
    decoded = _decode(_raw(label, b"ANNE"))

    assert (decoded.text, _rules(decoded)) == (None, [rule])


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_wide_characters_are_seen_in_the_bytes(codec: str) -> None:
    """UTF-16 hides even the header, so its first bytes tell it."""
    decoded = _decode(_raw("", b"").decode().encode(codec))

    assert (decoded.text, _rules(decoded)) == (None, ["charset.utf16"])


def test_a_byte_order_mark_is_no_text() -> None:
    """Windows editors put one before UTF-8."""
    decoded = _decode(b"\xef\xbb\xbf" + _raw("", NAMES.encode()))

    assert (decoded.text or "").startswith("MSH|")
    assert decoded.charset == "utf-8"


def test_a_charset_name_can_be_checked_before_it_is_configured() -> None:
    """An endpoint's fallback is spelt as MSH-18 spells it."""
    assert (codec_of(" 8859/15"), codec_of("klingon")) == ("iso8859-15", "")


_LABELS = ["", "ASCII", "8859/1", "8859/3", "8859/8", "UNICODE UTF-8", "WINDOWS-1252", "~", "x^y"]


@given(st.sampled_from(_LABELS), st.binary(max_size=60), st.sampled_from(["", "ASCII", "8859/7"]))
def test_nothing_raises(label: str, body: bytes, fallback: str) -> None:
    """Any bytes under any declaration give text or a finding that rejects."""
    decoded = _decode(_raw(label, body), fallback=fallback)

    assert (decoded.text is None) == any(finding.rejects for finding in decoded.findings)
    assert all(rule in RULES for rule in _rules(decoded))
