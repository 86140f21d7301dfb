"""`medhub audit`: the trail, verified from outside."""

import asyncio
import base64
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub import run_file
from hub.commands.options import (
    DEFAULT_DATA_DIR,
    DataDirOption,
    OperatedOption,
    operated,
    refuse,
)
from hub.data_dir import DataDir
from hub.run_file import DemoUser, Running

if TYPE_CHECKING:
    from compliance.domain.verification import Finding
    from hub.audit_verify import Report, Source
    from medhub.compliance.v1.audit_pb2 import AuditEvent

# Set in a container, where the environment says what else a data directory would.
_DATABASE = "MEDHUB_COMPLIANCE_DATABASE_APP_URL"
_SHOWN = 20
"""Findings printed; the first is the one that matters, the others mostly follow from it."""

app = typer.Typer(help="Check the audit trail.", no_args_is_help=True)


@app.command()
def verify(
    edge: Annotated[
        str, typer.Option(help="Read through this edge, `https://…`; default: by gRPC.")
    ] = "",
    grpc: Annotated[
        str, typer.Option(help="Address of compliance; default: the running platform's.")
    ] = "",
    token: Annotated[
        str, typer.Option(envvar="MEDHUB_TOKEN", help="An access token of the organization.")
    ] = "",
    email: Annotated[
        str, typer.Option(help="Who verifies; default: an auditor of the demonstration.")
    ] = "",
    password_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Where the password stands.")
    ] = None,
    organization: Annotated[
        str, typer.Option(help="`organizations/…`, for who belongs to several.")
    ] = "",
    key: Annotated[
        str, typer.Option(help="The log's public key, as a vkey line, when known from elsewhere.")
    ] = "",
    data_dir: DataDirOption = DEFAULT_DATA_DIR,
) -> None:
    """Verify the whole log: leaves, tiles, root, signature, completeness, and that it only grew.

    Fails, naming the first bad leaf, unless everything holds.
    """
    from hub.audit_reader import EdgeReader, GrpcReader, Unreadable, organization_of
    from hub.audit_verify import TrustStore
    from hub.audit_verify import verify as verified

    data = DataDir.at(data_dir)
    running = run_file.read(data.run_file)
    try:
        token = token or _logged_in(running, edge, email, password_file, organization)
        reader = EdgeReader(edge, token) if edge else GrpcReader(grpc or _at(running), token)
        store = TrustStore(data.root / "trusted")
        report = verified(reader, organization_of(token), store, key=key)
    except Unreadable as cause:
        print(f"medhub: the log cannot be read: {cause}", file=sys.stderr)
        raise typer.Exit(2) from None
    print("\n".join(lines_of(report)))
    raise typer.Exit(0 if report.holds else 1)


@app.command()
def platform(
    most: Annotated[
        int, typer.Option("--most", min=1, max=10_000, help="How many events, the newest first.")
    ] = 50,
    everything: Annotated[
        bool, typer.Option("--all", help="Also the tokens that servers get every few minutes.")
    ] = False,
    data_dir: OperatedOption = None,
) -> None:
    """Verify the platform's own log and show it: acts of its operators, refusals of strangers.

    It belongs to no organization. For whoever holds compliance's database and keyring: in a
    container MEDHUB_COMPLIANCE_DATABASE_APP_URL, …_DATABASE_OWNER_URL and …_KEYRING_PATH say.
    """
    import psycopg

    from core.crypto.keyring import KeyringUnusable
    from core.errors import Unavailable
    from hub.audit_platform import shown
    from hub.audit_reader import Unreadable
    from hub.places import Unplaced, place_of, place_told
    from hub.services import Service

    layout = operated(data_dir, database=_DATABASE)
    try:
        place = (
            place_told(Service.COMPLIANCE, os.environ)
            if layout is None
            else place_of(layout, Service.COMPLIANCE)
        )
        with tempfile.TemporaryDirectory() as nowhere:
            trust = Path(nowhere) if layout is None else layout.data.root / "trusted"
            report, events = asyncio.run(shown(place, trust, most, everything=everything))
    except (KeyringUnusable, OSError, Unplaced, Unreadable) as cause:
        refuse(f"the log cannot be read: {cause}")
    except (psycopg.OperationalError, Unavailable):
        refuse("the database cannot be reached")
    print("\n".join([*map(_event_line, events), "", *lines_of(report)]))
    raise typer.Exit(0 if report.holds else 1)


def _event_line(event: "AuditEvent") -> str:
    """When, what, of which thing, with what end, by whom, how often."""
    at = event.occurred_time.ToDatetime().isoformat(sep=" ", timespec="seconds")
    what = (event.action or event.method, event.operation, event.resource, event.detail)
    times = f"{event.count} times" if event.count > 1 else ""
    return "  ".join(word for word in (at, *what, event.actor, event.peer, times) if word)


def lines_of(report: "Report") -> list[str]:
    """The report as it is printed: what was checked, then the verdict or what is wrong."""
    stated = report.stated
    lines = [f"organization  {report.organization}"]
    if stated is not None:
        root = base64.b64encode(stated.root).decode()
        lines += [
            f"log           {stated.origin}",
            f"checkpoint    {stated.size} events, root {root}",
            f"signed by     {report.verifier_key}",
            f"before        {_before(report)}",
        ]
    lines += [_source_line(source) for source in report.sources]
    if report.holds:
        return [*lines, "VERIFIED      every leaf, tile and number is in its place"]
    findings = report.verdict.findings
    lines += [_finding_line(finding) for finding in findings[:_SHOWN]]
    if len(findings) > _SHOWN:
        lines.append(f"              and {len(findings) - _SHOWN} more")
    return [*lines, f"NOT VERIFIED  {_first_bad(report)}"]


def _before(report: "Report") -> str:
    if report.continues:
        return f"{report.continues} events, verified here by an earlier run"
    return "nothing: the first run here, whose key and checkpoint are kept for the next"


def _source_line(source: "Source") -> str:
    missing = source.last - source.held
    word = "complete" if not missing else f"{missing} missing"
    return f"source        {source.name}: 1 to {source.last}, {word}"


def _finding_line(finding: "Finding") -> str:
    where = "" if finding.leaf is None else f" at leaf {finding.leaf}"
    if finding.leaf is not None and finding.until is not None and finding.until > finding.leaf + 1:
        where = f" between leaf {finding.leaf} and leaf {finding.until - 1}"
    detail = f" ({finding.detail})" if finding.detail else ""
    return f"FAULT         {finding.fault}{where}{detail}"


def _first_bad(report: "Report") -> str:
    leaf = report.verdict.first_bad_leaf
    if leaf is None:
        return "the checkpoint itself cannot be believed"
    return f"first bad leaf: {leaf} {report.bad_event}".rstrip()


def _at(running: Running | None, service: str = "compliance") -> str:
    """The address of a service of the running platform. Raises Unreadable."""
    from hub.audit_reader import Unreadable

    if running is None:
        raise Unreadable("no platform runs here; give --edge or --grpc, and --token")
    return running.grpc[service]


def _logged_in(
    running: Running | None,
    edge: str,
    email: str,
    password_file: Path | None,
    organization: str,
) -> str:
    """A token of who verifies: of the address given, or of the demonstration's auditor."""
    from hub.audit_reader import Credentials, log_in_by_edge, log_in_by_grpc

    # Nobody is asked for anything before it is known where to send it.
    auth = "" if edge else _at(running, "auth")
    shown = _in_demo(running, email, organization)
    email = email or (shown["email"] if shown else _asked("email"))
    if password_file is not None:
        password = password_file.read_text(encoding="utf-8").rstrip("\r\n")
    else:
        password = shown["password"] if shown else _asked("password", hidden=True)
    credentials = Credentials(email, password, organization)
    if edge:
        return log_in_by_edge(edge, credentials)
    return log_in_by_grpc(auth, credentials)


def _asked(word: str, *, hidden: bool = False) -> str:
    """What whoever sits at the terminal answers. Raises Unreadable where nobody does."""
    from hub.audit_reader import Unreadable

    if not sys.stdin.isatty():
        raise Unreadable("nobody can be asked here; give --email and --password-file, or --token")
    return str(typer.prompt(word, hide_input=hidden))


def _in_demo(running: Running | None, email: str, organization: str) -> DemoUser | None:
    """The demonstration's user of this address; without one, an auditor."""
    tenants = [] if running is None else running.organizations
    users = [
        user
        for tenant in tenants
        if organization in ("", tenant["name"])
        for user in tenant["users"]
    ]
    wanted = (u for u in users if (u["email"] == email if email else "auditor" in u["roles"]))
    return next(wanted, None)
