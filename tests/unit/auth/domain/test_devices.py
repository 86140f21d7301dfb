"""What a client says of itself, in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.domain.devices import LONGEST_NAME, device_name

_APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("", ""),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
         "Firefox on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0) {_APPLE} Chrome/140.0 Safari/537.36", "Chrome on Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0) {_APPLE} Chrome/140.0 Safari/537.36 Edg/140.0",
         "Edge on Windows"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) {_APPLE} Version/18.0 Safari/605.1",
         "Safari on macOS"),
        (f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) {_APPLE} Safari/604.1",
         "Safari on iPhone"),
        (f"Mozilla/5.0 (Linux; Android 15) {_APPLE} Chrome/140.0 Mobile Safari/537.36",
         "Chrome on Android"),
        ("curl/8.5.0", "curl"),
        ("grpcurl/v1.9.3 grpc-go/1.61.0", "grpcurl"),
        ("grpc-python-asyncio/1.85.1 grpc-c/56.0.0 (linux; chttp2)", "gRPC for Python on Linux"),
        ("WardRounds/2.1 (internal)", "WardRounds"),
        ("(nothing that is a word first)", ""),
    ],
)  # fmt: skip
def test_a_device_is_named_as_people_call_it(agent: str, name: str) -> None:
    """Program and system, as far as they are known."""
    assert device_name(agent) == name


@given(st.text(max_size=500))
def test_a_name_is_short_and_of_one_line(agent: str) -> None:
    """Whatever is sent."""
    name = device_name(agent)

    assert len(name) <= LONGEST_NAME
    assert name.isprintable()
