"""Checkpoints as signed notes."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.domain.checkpoint import (
    MAX_NOTE,
    MAX_SIGNATURES,
    Checkpoint,
    CheckpointNotVouched,
    MalformedCheckpoint,
    SignedNote,
    cosign,
    open_checkpoint,
    origin_of,
    sign,
)
from core.crypto.note_keys import Cosigner, NoteSigner

ORIGIN = origin_of(bytes.fromhex("0198abcd"))
ROOT = bytes(range(32))
CHECKPOINT = Checkpoint(ORIGIN, 20_852_163, ROOT)
LOG = NoteSigner(ORIGIN, bytes(32))
NEXT = NoteSigner(ORIGIN, b"\x02" * 32)
WITNESS = Cosigner("witness.example", b"\x01" * 32, lambda: 1_700_000_000)


def test_a_checkpoint_is_the_text_of_the_format() -> None:
    """Origin, size and root on a line each, then what is signed is exactly this text."""
    root = base64.b64encode(ROOT).decode()

    assert CHECKPOINT.text() == f"medhub/log/0198abcd\n20852163\n{root}\n"
    assert Checkpoint.parse(CHECKPOINT.text()) == CHECKPOINT


def test_a_signed_checkpoint_opens_with_the_logs_key() -> None:
    """Text, an empty line, and a signature line that starts with a dash and the key's name."""
    note = sign(CHECKPOINT, LOG)

    text, line = note.decode().split("\n\n")
    blob = base64.b64decode(line.removeprefix(f"— {ORIGIN} "))
    assert text + "\n" == CHECKPOINT.text()
    assert (blob[:4], len(blob)) == (LOG.key_id, 68)
    assert open_checkpoint(note, [LOG.verifier]) == CHECKPOINT


def test_a_checkpoint_takes_cosignatures() -> None:
    """Each key finds its own line, in whatever company, and unknown ones are passed over."""
    note = cosign(sign(CHECKPOINT, LOG), WITNESS, NEXT)

    signed = SignedNote.parse(note)

    assert signed.vouched_by([WITNESS.verifier, LOG.verifier]) == [
        WITNESS.verifier,
        LOG.verifier,
    ]
    assert open_checkpoint(note, [NEXT.verifier]) == CHECKPOINT
    assert signed.encode() == note


def test_signing_again_replaces_a_keys_own_line() -> None:
    """A note does not grow when it is cosigned twice."""
    once = cosign(sign(CHECKPOINT, LOG), WITNESS)

    assert cosign(once, WITNESS) == once


def test_a_checkpoint_by_another_key_is_not_vouched_for() -> None:
    """The same name with another key is nobody we know."""
    with pytest.raises(CheckpointNotVouched, match="no known key"):
        open_checkpoint(sign(CHECKPOINT, NEXT), [LOG.verifier])
    with pytest.raises(CheckpointNotVouched, match="no known key"):
        open_checkpoint(sign(CHECKPOINT, LOG), [])


def test_a_false_signature_is_not_passed_over() -> None:
    """A line under a known key that does not hold spoils the note, even beside a good one."""
    other = sign(Checkpoint(ORIGIN, 1, ROOT), LOG)
    note = sign(CHECKPOINT, LOG, WITNESS)
    moved = note.replace(b"20852163", b"20852164")
    doubled = note + other.split(b"\n\n")[1]

    for wrong in (moved, doubled):
        with pytest.raises(CheckpointNotVouched, match="does not hold"):
            open_checkpoint(wrong, [LOG.verifier])


@given(
    st.integers(0, 2**62),
    st.binary(min_size=32, max_size=32),
    st.lists(st.text(st.characters(min_codepoint=32, codec="utf-8"), min_size=1), max_size=3),
)
def test_every_checkpoint_is_read_back(size: int, root: bytes, extensions: list[str]) -> None:
    """Opening inverts signing, extension lines included."""
    checkpoint = Checkpoint(ORIGIN, size, root, tuple(extensions))

    assert open_checkpoint(sign(checkpoint, LOG), [LOG.verifier]) == checkpoint


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint("", 1, ROOT),
        Checkpoint("a\nb", 1, ROOT),
        Checkpoint("a", 1, ROOT[1:]),
        Checkpoint("a", 1, ROOT, ("",)),
        Checkpoint("a", 1, ROOT, ("a\tb",)),
    ],
)
def test_what_could_be_read_otherwise_is_not_written(checkpoint: Checkpoint) -> None:
    """No line holds a line break, and none is empty."""
    with pytest.raises(MalformedCheckpoint):
        sign(checkpoint, LOG)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n",
        "a\n1\n",
        f"a\n01\n{base64.b64encode(ROOT).decode()}\n",
        f"a\n-1\n{base64.b64encode(ROOT).decode()}\n",
        f"a\n\u0661\n{base64.b64encode(ROOT).decode()}\n",
        f"a\n1\n{base64.b64encode(ROOT).decode()}",
        f"\n1\n{base64.b64encode(ROOT).decode()}\n",
        f"a\n1\n{base64.b64encode(ROOT[1:]).decode()}\n",
        "a\n1\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n",
        "a\n1\n?\n",
    ],
)
def test_a_malformed_text_is_refused(text: str) -> None:
    """A checkpoint has one spelling."""
    with pytest.raises(MalformedCheckpoint):
        Checkpoint.parse(text)


GOOD = sign(CHECKPOINT, LOG)


@pytest.mark.parametrize(
    "note",
    [
        b"",
        GOOD[:-1],
        GOOD.replace(b"\n\n", b"\n"),
        GOOD + b"\n",
        GOOD.replace(b"\n", b"\r\n"),
        GOOD + b"- log AAAAAAAA\n",
        GOOD + "— log AAAA\n".encode(),
        GOOD + "— log AAAAAAA\n".encode(),
        GOOD + "— a b AAAAAAAA\n".encode(),
        GOOD + "— a+b AAAAAAAA\n".encode(),
        GOOD + b"\xff\n",
        GOOD.replace(b"medhub", b"med\x01hub"),
        GOOD + "— log AAAAAAAA\n".encode() * MAX_SIGNATURES,
        b"x" * MAX_NOTE + GOOD,
    ],
)
def test_a_malformed_note_is_refused(note: bytes) -> None:
    """Notes come from outside: anything but the format is refused before a key is asked."""
    with pytest.raises(MalformedCheckpoint):
        SignedNote.parse(note)
