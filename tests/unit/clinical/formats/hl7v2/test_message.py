"""The lazy parser: paths, states, losslessness, and the same reading as python-hl7."""

from typing import Literal

import hl7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.hl7_findings import Place
from clinical.domain.hl7_values import ABSENT, ERASE
from clinical.formats.hl7v2.message import Message, Unparsable, normalized
from tests.support import hl7_messages as messages

TEXT = messages.adt("A01", messages.ANNE_WITH_INS)
HEAD = "MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5\r"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("MSH-1", "|"),
        ("MSH-2", "^~\\&"),
        ("MSH-3", "GAM"),
        ("MSH-9.2", "A01"),
        ("MSH-10", "M0001"),
        ("PID-3.1", "100001"),
        ("PID-3", "100001"),
        ("PID-3.4.2", "1.2.250.1.999.1"),
        ("PID-5.1", "MARTIN"),
        ("PID-99", ""),
        ("PID-3.99", ""),
        ("PID-3.1.9", ""),
        ("ZZZ-1", ""),
    ],
)
def test_a_path_reaches_a_leaf(path: str, text: str) -> None:
    """A level that is left out means the first; what is not there is empty."""
    assert Message(TEXT).text(path) == text


def test_repetitions_and_occurrences_are_counted_from_one() -> None:
    """The second name and the second OBX are reached by number."""
    message = Message(messages.oru())

    assert message.text("PID-5.1", repetition=2) == "DURAND"
    assert message.text("PID-5.1", repetition=3) == ""
    assert message.text("PID-5.1", repetition=0) == ""
    assert message.text("OBX-3.1", occurrence=2) == "6690-2"


@pytest.mark.parametrize("path", ["", "PID", "PID-", "pid-3", "PID-3.1.1.1", "PID-x", "PID-3 "])
def test_a_path_that_is_none_is_an_error_of_ours(path: str) -> None:
    """Paths are written in code, so a wrong one is loud."""
    with pytest.raises(ValueError, match="not a path"):
        Message(TEXT).text(path)


@pytest.mark.parametrize(
    ("field", "state"),
    [
        ("", ABSENT),
        ('""', ERASE),
        ("X^A", "X"),
        ("^A", ABSENT),
        ('""^A', ERASE),
        ('"" ', '"" '),
    ],
)
def test_a_field_has_three_states(field: str, state: object) -> None:
    """Absent, erased, valued."""
    assert Message(f"{HEAD}PID|||||{field}|x\r").value("PID-5.1") == state


def test_a_null_field_erases_each_of_its_components() -> None:
    """`""` alone in a field says that nothing of it holds."""
    assert Message(f'{HEAD}PID|||||""\r').value("PID-5.2") is ERASE


def test_a_field_beyond_the_segment_is_absent() -> None:
    """A short segment erases nothing."""
    assert Message(f"{HEAD}PID|1\r").value("PID-5.1") is ABSENT


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"a\F\b", "a|b"),
        (r"a\S\b\T\c\R\d\E\e", "a^b&c~d\\e"),
        (r"\X41C3A9\ ", "Aé "),
        (r"\XE9\ ", "é "),
        (r"\.br\x", "\nx"),
        (r"\H\bold\N\ ", r"\H\bold\N\ "),
        (r"\Zab\ ", r"\Zab\ "),
        (r"open \F", r"open \F"),
        (r"\\", r"\\"),
        (r"\X0041\ ", r"\X0041\ "),
        (r"\XZZ\ ", r"\XZZ\ "),
        (r"c:\dir\E\F\ ", r"c:\dir\E| "),
    ],
)
def test_escapes_are_undone_at_leaves(written: str, read: str) -> None:
    """Known sequences are undone; unknown, empty and unterminated ones are text."""
    assert Message(f"{HEAD}NTE|1||{written}\r").text("NTE-3") == read


def test_an_escaped_separator_does_not_separate() -> None:
    """Fields are cut before escapes are undone."""
    message = Message(f"{HEAD}PID|||||A\\F\\B^C\\S\\D\r")

    assert (message.text("PID-5.1"), message.text("PID-5.2")) == ("A|B", "C^D")


def test_delimiters_come_from_the_header() -> None:
    """Nothing is hard-coded, the truncation sign of v2.7 included."""
    message = Message("MSH#*!/+$#A#B\rPID###1*2*3+4!5#a/F/b\r")

    assert message.text("MSH-2") == "*!/+$"
    assert message.text("PID-3.3.2") == "4"
    assert message.text("PID-3", repetition=2) == "5"
    assert message.text("PID-4") == "a#b"


def test_a_delimiter_that_is_left_out_delimits_nothing() -> None:
    """Without a fourth sign, & is a letter like another."""
    assert Message("MSH|^~|A\rPID|||X&Y^Z\\F\\\r").text("PID-3") == "X&Y"


@pytest.mark.parametrize("terminator", ["\r", "\n", "\r\n"])
def test_any_terminator_gives_the_same_message(terminator: str) -> None:
    """CR, LF, CRLF, a byte order mark and a missing last terminator change nothing."""
    lines = TEXT.split("\r")
    sent = terminator.join(lines)

    assert Message(sent).source == TEXT
    assert Message("\ufeff" + sent.rstrip("\r\n")).source == TEXT
    assert Message(terminator + sent).source == TEXT


def test_a_line_feed_inside_a_field_is_text_when_cr_ends_segments() -> None:
    """CR after MSH wins."""
    message = Message(f"{HEAD}NTE|1||one\ntwo\rPID|1\r")

    assert message.text("NTE-3") == "one\ntwo"
    assert message.text("PID-1") == "1"


def test_lf_ends_segments_even_where_a_sender_adds_a_last_cr() -> None:
    """An LF-terminated message is never read as one segment."""
    message = Message(TEXT.replace("\r", "\n") + "\r")

    assert [segment.name for segment in message.segments] == [
        "MSH",
        "EVN",
        "PID",
        "PV1",
        "ZBE",
        "ZFD",
    ]


def test_unknown_segments_are_kept() -> None:
    """Z-segments and what nobody knows are there, in order, byte for byte."""
    text = f"{HEAD}ZZ1|a~b^c\\X0D\\\rQQQ|\r1|2\r"
    message = Message(text)

    assert message.encode() == text.encode()
    assert message.text("ZZ1-1", repetition=2) == "b"
    assert [segment.raw for segment in message.segments][1:] == ["ZZ1|a~b^c\\X0D\\", "QQQ|", "1|2"]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "message.header"),
        ("MS", "message.header"),
        ("PID|1\r", "message.header"),
        ("FHS|^~\\&\r", "message.header"),
        ("MSH", "message.delimiters"),
        ("MSH|", "message.delimiters"),
        ("MSH||||", "message.delimiters"),
        ("MSH|||\rPID", "message.delimiters"),
        ("MSHAAAA", "message.delimiters"),
        ("MSH|^^^^|", "message.delimiters"),
        ("MSH|^~\\&X|", "message.delimiters"),
        ("MSH|^~\\&#!|", "message.delimiters"),
        ("MSH|é~\\&|", "message.delimiters"),
        ("MSHé^~\\&é", "message.delimiters"),
        ("MSH|^~\\&|\0", "message.nul"),
    ],
)
def test_what_is_no_message_is_refused_by_rule(text: str, rule: str) -> None:
    """Unparsable names the check, and quotes nothing."""
    with pytest.raises(Unparsable) as caught:
        Message(text)

    assert caught.value.rule == rule


def test_a_place_is_known_without_search() -> None:
    """Segments count themselves, so ERR-2 costs nothing."""
    message = Message(messages.oru())
    third = message.every("OBX")[2]

    assert third.place(5, 1) == Place("OBX", 3, 5, 1)


@pytest.mark.parametrize("path", ["MSH-1", "MSH-2", "MSH-3", "MSH-10", "PID-3", "PV1-19", "EVN-2"])
def test_an_offset_points_at_the_field(path: str) -> None:
    """The field stands in the source where the offset says."""
    message = Message(TEXT)
    offset = message.offset(path)

    assert offset is not None
    assert message.source[offset:].startswith(message.raw(path))
    assert message.raw(path)


def test_an_offset_of_nothing_is_none() -> None:
    """A field or segment that is not there has no place."""
    assert Message(TEXT).offset("PID-99") is None
    assert Message(TEXT).offset("ZZZ-1") is None


_Category = Literal["Cs", "Cc", "Zs", "Zl", "Zp"]


def _messages(*left_out: _Category) -> st.SearchStrategy[str]:
    """Messages of any text, but for these categories of characters."""
    signs = st.characters(exclude_characters="\r\n\0\ufeff|^~\\&", exclude_categories=left_out)
    word = st.text(signs, max_size=6)
    field = st.lists(st.tuples(word, st.sampled_from("^~&")), min_size=1, max_size=4).map(
        lambda parts: "".join(map("".join, parts))[:-1]
    )
    names = st.sampled_from(["PID", "OBX", "ZZZ", "PV1", "NTE"])
    segment = st.tuples(names, st.lists(field, min_size=1, max_size=6)).map(
        lambda parts: "|".join([parts[0], *parts[1]]) + "\r"
    )
    return st.lists(segment, max_size=6).map(lambda segments: HEAD + "".join(segments))


@given(_messages("Cs"), st.sampled_from(["\r", "\n", "\r\n"]))
def test_parse_then_encode_is_the_same_bytes(text: str, terminator: str) -> None:
    """After the terminators are normalised, nothing is lost or added."""
    assert Message(text.replace("\r", terminator)).encode() == text.encode()


# The oracle strips white space and control characters at the ends of a message.
@given(_messages("Cs", "Cc", "Zs", "Zl", "Zp"))
def test_python_hl7_reads_the_same(text: str) -> None:
    """Given our normalised text, the oracle finds the same segments, fields and repetitions."""
    ours, oracle = Message(text), hl7.parse(normalized(text))

    assert [segment.raw for segment in ours.segments] == [str(segment) for segment in oracle]
    for mine, theirs in zip(ours.segments[1:], list(oracle)[1:], strict=True):
        for number in range(1, len(mine.fields)):
            assert mine.field(number) == str(theirs(number))
            mine_too = mine.repetitions(number) or [""]
            assert mine_too == [str(one) for one in theirs(number)]


@given(st.text(max_size=80))
def test_no_text_crashes_it(text: str) -> None:
    """A text is a message or Unparsable, and every path of a message can be asked."""
    for candidate in (text, HEAD + text, "MSH" + text, "MSH|^~\\&|" + text):
        try:
            message = Message(candidate)
        except Unparsable:
            continue
        for path in ("MSH-3", "PID-3.4.2", "MSH-1"):
            message.value(path)
            message.offset(path)
        for segment in message.segments:
            segment.place(1)
            segment.first(1).value(1)
