"""The metadata of a call, read once; what is malformed counts as absent."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.rpc.headers import AGENT_CHARACTERS, LANGUAGES, Headers

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
NAMES = ["authorization", "traceparent", "accept-language", "x-medhub-min-auth-revision",
         "x-forwarded-for", "x-medhub-roles"]  # fmt: skip


class _Context:
    def __init__(self, metadata: list[tuple[str, Any]], peer: str) -> None:
        self._metadata, self._peer = metadata, peer

    def invocation_metadata(self) -> Any:
        return tuple(self._metadata)

    def peer(self) -> str:
        return self._peer


def _read(*metadata: tuple[str, Any], peer: str = "ipv4:127.0.0.1:5") -> Headers:
    context: Any = _Context(list(metadata), peer)
    return Headers.of(context)


def test_a_sampled_trace_is_taken_over() -> None:
    """Its id, the caller's span, and whether it is sampled."""
    headers = _read(("traceparent", f"00-{TRACE}-{SPAN}-01"))

    assert (headers.trace_id, headers.parent_span, headers.sampled) == (TRACE, SPAN, True)
    assert not _read(("traceparent", f"00-{TRACE}-{SPAN}-00")).sampled


@pytest.mark.parametrize(
    "value",
    ["", "x", f"01-{TRACE}-{SPAN}-01", f"00-{TRACE.upper()}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01-x",
     f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE}-{SPAN}-01\n"],
)  # fmt: skip
def test_a_malformed_trace_is_none(value: str) -> None:
    """Zeros are no trace, and another version is not understood."""
    headers = _read(("traceparent", value))

    assert (headers.trace_id, headers.sampled) == ("", False)


@pytest.mark.parametrize(
    ("value", "revision"),
    [("7", 7), ("0", 0), ("-1", -1), ("1e3", -1), ("9" * 16, -1), ("\u0667", -1), ("", -1)],
)
def test_a_revision_is_a_few_digits(value: str, revision: int) -> None:
    """Anything else is noted as unreadable, so that the call is refused."""
    assert _read(("x-medhub-min-auth-revision", value)).min_revision == revision


@pytest.mark.parametrize(
    ("sent", "language"),
    [
        ("de;q=0.1,fr;q=0.9", "fr"),
        ("fr-CH, de;q=0.9, en;q=0.8", "fr"),
        ("it,de;q=0.5", "de"),
        ("de;q=0", "en"),
        ("fr;q=2, de;q=0.2", "de"),
        ("fr;level=1", "en"),
        ("*", "en"),
    ],
)
def test_the_heaviest_language_is_spoken(sent: str, language: str) -> None:
    """Of those that texts exist in; what is no weight is none."""
    assert _read(("accept-language", sent)).language == language


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:10.1.2.3:5000", "10.1.2.3"),
        ("ipv6:%5B::1%5D:5000", "::1"),
        ("ipv6:[2001:db8::1]:5000", "2001:db8::1"),
        ("unix:/tmp/x", "unix"),
        ("", ""),
    ],
)
def test_the_peer_is_an_address_without_its_port(peer: str, address: str) -> None:
    """Limits and trails speak of addresses."""
    assert _read(peer=peer).peer == address


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("ipv4:127.0.0.1:5", "203.0.113.9", "203.0.113.9"),
        ("ipv4:127.0.0.1:5", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("ipv4:127.0.0.1:5", "2001:DB8:0:0::1", "2001:db8::1"),
        ("ipv6:%5B::1%5D:5", "203.0.113.9", "203.0.113.9"),
        ("unix:", "203.0.113.9", "203.0.113.9"),
        ("ipv4:10.9.9.9:5", "203.0.113.9", "10.9.9.9"),
        ("ipv4:127.0.0.1:5", 'fe80::1%"}\n{', "127.0.0.1"),
        ("ipv4:127.0.0.1:5", "203.0.113.9,", "127.0.0.1"),
        ("ipv4:127.0.0.1:5", "203.0.113.9:80", "127.0.0.1"),
    ],
)
def test_only_the_edge_may_say_for_whom_it_asks(peer: str, forwarded: str, expected: str) -> None:
    """Its own word is the last of the list; a zone may hold any text, so none is taken."""
    assert _read(("x-forwarded-for", forwarded), peer=peer).peer == expected


_PAIRS = st.lists(st.tuples(st.sampled_from(NAMES), st.text(max_size=60) | st.binary(max_size=9)))


@given(_PAIRS, st.text(max_size=40))
def test_whatever_is_sent_is_read(metadata: list[tuple[str, Any]], peer: str) -> None:
    """Nothing fails here, since nothing outside would translate it; and logs stay whole."""
    headers = _read(*metadata, peer=peer)

    assert headers.language in LANGUAGES
    assert -1 <= headers.min_revision < 10**15
    assert len(headers.trace_id) in (0, 32)
    told = [value for name, value in metadata if name == "authorization"]
    assert headers.credentials == [value for value in told if isinstance(value, str)]


def test_only_an_edge_says_for_whom_it_asks() -> None:
    """A caller that is no edge is taken for itself, whatever it says."""
    context: Any = _Context([("x-forwarded-for", "203.0.113.9")], "ipv4:10.0.0.7:5")

    believed = Headers.of(context, frozenset({"10.0.0.7"}))
    stranger = Headers.of(context, frozenset({"10.0.0.8"}))

    assert (believed.peer, stranger.peer) == ("203.0.113.9", "10.0.0.7")


@pytest.mark.parametrize(
    ("sent", "agent"),
    [
        ("curl/8.5.0", "curl/8.5.0"),
        ("a\x1b[31mb\r\nc", "a [31mb c"),
        ("d\u00e9j\u00e0", "d j"),
        ("x" * 5_000, "x" * AGENT_CHARACTERS),
    ],
)
def test_what_a_client_calls_itself_is_printable_and_short(sent: str, agent: str) -> None:
    """It ends up in lists of sessions, so it can bring nothing along."""
    assert _read(("user-agent", sent)).agent == agent
