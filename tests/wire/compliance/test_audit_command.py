"""`medhub audit verify` against a real server."""

import asyncio
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from core.ids import new_id
from hub.__main__ import app
from medhub.compliance.v1 import audit_service_pb2 as wire
from medhub.compliance.v1.audit_service_pb2_grpc import AuditServiceStub
from tests.support.audit import SOURCE, events
from tests.support.postgres import ServiceDatabase
from tests.support.servers import Served, bearer

RELAY = new_id()  # the account of the relay


async def _verify(served: Served, token: str, folder: Path) -> Result:
    arguments = ["audit", "verify", "--grpc", served.target, "--token", token]
    arguments += ["--data-dir", str(folder)]
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, arguments))


async def _append(served: Served, organization: object, first: int, last: int) -> None:
    stub: Any = AuditServiceStub(served.channel)
    token = served.authority.token("compliance.events.append", subject=RELAY, service=SOURCE)
    batch = events(organization, range(first, last + 1))  # type: ignore[arg-type]
    request = wire.AppendEventsRequest(source=SOURCE, events=batch)
    stream = stub.AppendEvents(iter([request]), metadata=bearer(token))
    assert len((await stream.read()).leaf_indexes) == last - first + 1


async def test_the_command_verifies_and_fails_by_the_first_bad_leaf(
    served: Served, compliance: ServiceDatabase, tmp_path: Path
) -> None:
    """It succeeds on a whole log, again on a longer one, and names the leaf that was edited."""
    organization = new_id()
    rights = ("compliance.audit.verify",)
    token = served.authority.token(*rights, organization=organization)
    await _append(served, organization, 1, 300)

    first = await _verify(served, token, tmp_path / "data")
    await _append(served, organization, 301, 310)
    second = await _verify(served, token, tmp_path / "data")
    # Both bytes are in the purpose, "care".
    compliance.rows(
        "UPDATE audit_event SET clear = replace(clear::text, '63617265', '63617264')::bytea"
        " WHERE source = %s AND source_seq = 270",
        SOURCE,
    )
    third = await _verify(served, token, tmp_path / "data")

    assert (first.exit_code, second.exit_code, third.exit_code) == (0, 0, 1), first.output
    assert "VERIFIED" in first.output
    assert "verified here by an earlier run" in second.output
    row = compliance.rows("SELECT leaf_index FROM audit_event WHERE source_seq = 270")[0]
    assert f"NOT VERIFIED  first bad leaf: {row['leaf_index']} auditEvents/" in third.output


async def test_the_command_says_when_it_may_not_read(served: Served, tmp_path: Path) -> None:
    """A token without the permission is no verdict on the log."""
    token = served.authority.token("compliance.audit.read", organization=new_id())

    result = await _verify(served, token, tmp_path / "data")

    assert result.exit_code == 2
    assert "PERMISSION_DENIED" in result.output
