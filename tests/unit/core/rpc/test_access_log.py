"""One line a call, and never in a call's way."""

import asyncio
import io
import json

from core.identity import Call, Caller, Kind
from core.ids import new_id
from core.rpc import access_log as module
from core.rpc.access_log import AccessLog


async def test_a_line_says_who_called_what_and_how_it_ended() -> None:
    """And who acted for them; without anything that was in it."""
    out, subject, place, acting = io.StringIO(), new_id(), new_id(), new_id()
    log = AccessLog("probe", out)
    caller = Caller(kind=Kind.USER, subject=subject, organization=place, actor=acting)
    log.ended(Call("a.v1.A/Get", caller, peer="::1", trace_id="ab"), "OK", "", 0.0123)

    assert out.getvalue() == ""
    log.flush()

    told = json.loads(out.getvalue())
    assert told.pop("time").startswith("20")
    assert told == {
        "level": "info", "service": "probe", "logger": "access", "method": "a.v1.A/Get",
        "code": "OK", "reason": "", "ms": 12.3, "caller": str(subject), "kind": "user",
        "organization": str(place), "on_behalf": str(acting), "peer": "::1", "trace": "ab",
    }  # fmt: skip


async def test_lines_are_written_soon_by_themselves() -> None:
    """Within a fraction of a second, and at once when many wait."""
    out = io.StringIO()
    log = AccessLog("probe", out)
    for _ in range(module.MAX_LINES + 1):
        log.ended(Call("m"), "OK", "", 0.0)
    assert out.getvalue().count("\n") == module.MAX_LINES

    await asyncio.sleep(module.FLUSH_SECONDS * 2)

    assert out.getvalue().count("\n") == module.MAX_LINES + 1


async def test_a_log_that_nobody_reads_fails_no_call() -> None:
    """A closed pipe loses lines, not answers."""
    out = io.StringIO()
    log = AccessLog("probe", out)
    out.close()

    log.ended(Call("m"), "OK", "", 0.0)
    log.flush()
