"""HL7 messages in files, however people keep them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.hl7_files import NoMessage, acknowledged, control_id, messages_in

ADT = b"MSH|^~\\&|GAM|NICE|MEDHUB|NICE|20260101||ADT^A01|C1|P|2.5\rPID|1||42\r"
ORU = b"MSH|^~\\&|LAB|NICE|MEDHUB|NICE|20260101||ORU^R01|C2|P|2.5\rOBX|1\r"


@pytest.mark.parametrize(
    "content",
    [
        ADT + ORU,
        (ADT + ORU).replace(b"\r", b"\n"),
        (ADT + ORU).replace(b"\r", b"\r\n"),
        b"\x0b" + ADT + b"\x1c\r\x0b" + ORU + b"\x1c\r",
        b"FHS|^~\\&\rBHS|^~\\&\r" + ADT + ORU + b"BTS|2\rFTS|1\r",
        b"\n\n" + ADT.replace(b"\r", b"\n") + b"\n\n" + ORU,
    ],
    ids=["one after the other", "unix lines", "windows lines", "framed", "batch", "blank lines"],
)
def test_a_file_may_hold_many_messages(tmp_path: Path, content: bytes) -> None:
    """Whatever separates them, the messages that go out are the same."""
    path = tmp_path / "messages.hl7"
    path.write_bytes(content)

    assert messages_in(path) == [ADT, ORU]


def test_a_file_without_a_message_is_refused(tmp_path: Path) -> None:
    """Sending nothing must not look like success."""
    path = tmp_path / "letter.txt"
    path.write_bytes(b"Dear colleague,\n")

    with pytest.raises(NoMessage, match="no HL7 message"):
        messages_in(path)


def test_the_control_id_is_msh_10() -> None:
    """MSH-1 is the separator itself, so MSH-10 is the tenth with it counted."""
    assert control_id(ADT) == b"C1"
    assert control_id(ADT.replace(b"|", b"#")) == b"C1"


def test_an_answer_names_its_message() -> None:
    """MSA-1 says what became of the message that MSA-2 names."""
    answer = b"MSH|^~\\&|MEDHUB|NICE|GAM|NICE|20260101||ACK^A01|9|P|2.5\rMSA|AE|C1|no\r"

    assert acknowledged(answer) == ("AE", b"C1")


@given(st.binary(max_size=200))
def test_any_bytes_have_a_control_id_and_an_answer(content: bytes) -> None:
    """A peer may answer anything; reading it does not raise."""
    assert isinstance(control_id(content), bytes)
    assert isinstance(acknowledged(content), tuple)
