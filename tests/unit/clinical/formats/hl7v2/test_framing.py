"""MLLP frames in any stream."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.formats.hl7v2.framing import (
    KEPT,
    Deframer,
    Event,
    Frame,
    FramingError,
    FramingFault,
    frame,
)

# Bytes in which framing happens, so that random streams meet every case.
_STREAMS = st.lists(
    st.sampled_from(
        [b"\x0b", b"\x1c", b"\r", b"\x1c\r", b"\x0bMSH", b"\n", b"\x00", b"MSH|", b"A", b"\x0bM"]
    ),
    max_size=30,
).map(b"".join)


def _all(stream: bytes, cuts: list[int] | None = None, limit: int = 1000) -> list[Event]:
    deframer = Deframer(limit)
    events: list[Event] = []
    bounds = [0, *sorted(cuts or []), len(stream)]
    for start, end in itertools.pairwise(bounds):
        events += deframer.feed(stream[start:end])
    return events + deframer.close()


@pytest.mark.parametrize(
    "stream",
    [
        b"\x0bone\x1c\r\x0btwo\x1c\r",
        b"\x0bone\x1c\r\x00\r\n\x0btwo\x1c\r\n",
        b"\x0bone\x1c\x0btwo\x1c",
        b"\x0bone\x1c\n\x0btwo\x1c\r",
        b"\r\n\x0bone\x1c\x00\r\x0btwo\x1c\r",
    ],
)
def test_frames_are_cut_whatever_stands_between_them(stream: bytes) -> None:
    """Several frames, padding, and an end block without its CR give the same two frames."""
    assert _all(stream) == [Frame(b"one"), Frame(b"two")]


def test_a_frame_is_given_as_soon_as_it_ends() -> None:
    """Nothing waits for the next frame."""
    deframer = Deframer()

    assert deframer.feed(b"\x0bMSH|") == []
    assert deframer.is_mid_frame
    assert deframer.feed(b"^~\\&\x1c\r\x0bnext") == [Frame(b"MSH|^~\\&")]


def test_silence_ends_a_frame_without_its_last_cr() -> None:
    """A sender that leaves the CR out and waits gets its answer."""
    deframer = Deframer()

    assert deframer.feed(b"\x0bMSH|\x1c") == []
    assert deframer.settle() == [Frame(b"MSH|")]
    assert deframer.feed(b"\r\x0bnext\x1c\r") == [Frame(b"next")]


def test_silence_leaves_an_open_frame_open() -> None:
    """Half a message is not a message yet."""
    deframer = Deframer()
    deframer.feed(b"\x0bhalf")

    assert deframer.settle() == []
    assert deframer.feed(b" more\x1c\r") == [Frame(b"half more")]


def test_bytes_outside_frames_are_kept() -> None:
    """An unframed message is a fault that shows its bytes, and the next frame is read."""
    assert _all(b"MSH|unframed\r\x0bone\x1c\r") == [
        FramingFault(FramingError.OUTSIDE, b"MSH|unframed"),
        Frame(b"one"),
    ]


def test_stray_bytes_are_told_without_waiting_for_ever() -> None:
    """Enough of them make a fault at once, and silence makes one of any number."""
    deframer = Deframer()

    assert deframer.feed(b"x" * (KEPT + 10)) == [FramingFault(FramingError.OUTSIDE, b"x" * KEPT)]
    assert deframer.settle() == [FramingFault(FramingError.OUTSIDE, b"x" * 10)]


def test_a_stream_that_ends_inside_a_frame_is_a_fault() -> None:
    """A half message is never a message."""
    assert _all(b"\x0bMSH|half") == [FramingFault(FramingError.NOT_ENDED, b"MSH|half")]


def test_a_sender_may_begin_again() -> None:
    """A start block before a header gives up what came before it."""
    assert _all(b"\x0bMSH|ha\x0bMSH|whole\x1c\r") == [
        FramingFault(FramingError.NOT_ENDED, b"MSH|ha"),
        Frame(b"MSH|whole"),
    ]


def test_framing_bytes_inside_text_are_text() -> None:
    """A vertical tab or a file separator that frames nothing stays in the message."""
    assert _all(b"\x0ba\x0bb\x1cc\x1c\r") == [Frame(b"a\x0bb\x1cc")]


def test_a_payload_above_the_limit_is_refused_while_it_comes() -> None:
    """It is told once, its bytes are dropped, and the next frame is read."""
    deframer = Deframer(limit=10)

    assert deframer.feed(b"\x0b" + b"x" * 11) == [
        FramingFault(FramingError.TOO_LARGE, b"x" * 10),
    ]
    assert deframer.feed(b"y" * 1000) == []
    assert deframer.is_mid_frame
    assert deframer.feed(b"\x1c\r\x0bone\x1c\r") == [Frame(b"one")]


def test_a_payload_of_exactly_the_limit_is_accepted() -> None:
    """The limit is the largest payload, framing not counted."""
    assert _all(b"\x0b" + b"x" * 10 + b"\x1c\r", limit=10) == [Frame(b"x" * 10)]


@given(_STREAMS, st.data(), st.integers(1, 12))
def test_no_split_changes_what_is_read(stream: bytes, data: st.DataObject, limit: int) -> None:
    """However a stream is cut into segments, frames and faults are the same."""
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=10))

    assert _all(stream, cuts, limit) == _all(stream, limit=limit)
    assert _all(stream, list(range(len(stream))), limit) == _all(stream, limit=limit)


@given(st.lists(st.binary(max_size=200), max_size=5), st.integers(1, 64))
def test_what_is_framed_is_deframed(payloads: list[bytes], size: int) -> None:
    """Frames come back as they went, unless they hold what ends or restarts a frame."""
    sent = [one for one in payloads if b"\x1c" not in one and b"\x0b" not in one]
    stream = b"".join(map(frame, sent))

    assert _all(stream, list(range(0, len(stream), size))) == [Frame(one) for one in sent]


@pytest.mark.parametrize("payload", [b"a\x1c\rb", b"a\x1c", b"\x1c\x0b"])
def test_a_payload_that_would_end_its_frame_is_not_framed(payload: bytes) -> None:
    """Better an error here than half a message there."""
    with pytest.raises(ValueError, match="end block"):
        frame(payload)


@given(st.binary(max_size=400))
def test_no_bytes_crash_it(stream: bytes) -> None:
    """Whatever comes, events come out and nothing grows."""
    deframer = Deframer(limit=50)
    deframer.feed(stream)
    deframer.close()

    assert not deframer.is_mid_frame
