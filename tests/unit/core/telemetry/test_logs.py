"""A log line is one JSON object, and holds no data of anybody."""

import json
import logging
from contextlib import suppress
from typing import Any

import pytest
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from core.telemetry.logs import JsonLines, chain_of, set_up

CANARY = "Durand-1820"


def _line(name: str, message: str, *values: object, **more: Any) -> dict[str, Any]:
    record = logging.LogRecord(name, logging.WARNING, "f.py", 1, message, values, None)
    for key, value in more.items():
        setattr(record, key, value)
    text = JsonLines("probe").format(record)
    assert "\n" not in text
    told: dict[str, Any] = json.loads(text)
    return told


def test_our_own_lines_are_told_whole() -> None:
    """With the service, the trace, and whatever breaks a line escaped."""
    told = _line("medhub.relay", 'sent %d\n"events"', 3, trace_id="ab")

    assert told["message"] == 'sent 3\n"events"'
    assert (told["service"], told["level"], told["trace"]) == ("probe", "warning", "ab")


def test_of_libraries_only_the_fixed_words_are_told() -> None:
    """What they fill in may quote a row, and what they add below may show an exception."""
    for name in ("psycopg.pool", "asyncio", "grpc", "medhubbub"):
        told = _line(name, f"lost connection: %s\nfuture: <Task {CANARY}>", CANARY)

        assert told["message"] == "lost connection: %s"
        assert CANARY not in json.dumps(told)


async def test_why_a_database_is_not_reached_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """With the host and the port, and without the password."""
    url = f"postgresql://u:{CANARY}@127.0.0.1:9/x"

    async with AsyncConnectionPool(url, min_size=1, open=False, name="medhub") as pool:
        with suppress(PoolTimeout):
            await pool.wait(0.5)

    told = [JsonLines("probe").format(each) for each in caplog.records]
    assert "127.0.0.1" in told[0]
    assert "refused" in told[0]
    assert CANARY not in "".join(told)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("psycopg.pool", "discarding closed connection: %s"),
        ("psycopg", "error connecting in 'x': %s"),
        ("alembic.runtime.migration", "Running upgrade %s"),
    ],
)
def test_another_line_of_those_who_are_told_whole_is_not(name: str, message: str) -> None:
    """It is the line that is known to hold no data, not the logger."""
    told = _line(name, message, CANARY)

    assert told["message"] == message


def test_a_line_that_names_a_kind_of_database_is_told_whole() -> None:
    """Alembic says it at each migration."""
    told = _line("alembic.runtime.migration", "Will assume %s DDL.", "transactional")

    assert told["message"] == "Will assume transactional DDL."


def test_an_exception_is_told_by_type_and_place() -> None:
    """Never by its text, however deep in the chain, and not for ever."""
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as inner:
            raise RuntimeError(CANARY) from inner
    except RuntimeError as error:
        caught = error

    told = _line("medhub.incident", "incident", exc_info=(type(caught), caught, None))

    assert [cause["type"] for cause in told["cause"]] == [
        "builtins.RuntimeError",
        "builtins.KeyError",
    ]
    assert CANARY not in json.dumps(told)
    assert "test_an_exception_is_told_by_type_and_place" in told["cause"][0]["frames"][-1]


def test_a_chain_that_closes_on_itself_ends() -> None:
    """As does one that is very long."""
    one, other = ValueError(), ValueError()
    one.__cause__, other.__cause__ = other, one
    long: BaseException = ValueError()
    for _ in range(50):
        outer = ValueError()
        outer.__cause__ = long
        long = outer

    assert len(chain_of(one)) == 2
    assert len(chain_of(long)) == 5


def test_what_grpc_leaves_behind_is_no_error_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    """Of asyncio's complaints only those that somebody could act upon are told."""
    asyncios = logging.getLogger("asyncio")
    before = list(asyncios.filters), logging.getLogger().handlers[:], logging.getLogger().level
    said = (
        "Task was destroyed: <Task coro=<_StreamRequestMixin._consume_request_iterator()>>",
        "Task failed: RuntimeError('aclose(): asynchronous generator is already running')",
        "Task was destroyed: <Task coro=<ours()>>",
    )
    try:
        set_up("probe")
        logging.getLogger().addHandler(caplog.handler)
        for text in said:
            asyncios.error(text)
    finally:
        asyncios.filters[:], logging.getLogger().handlers[:] = before[0], before[1]
        logging.getLogger().setLevel(before[2])

    assert ["ours()" in record.getMessage() for record in caplog.records] == [True]
