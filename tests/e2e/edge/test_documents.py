"""The API's description and the page that shows it, as the edge serves them."""

import asyncio
import re
import shutil
from pathlib import Path

import pytest

from tests.support.edges import Front

pytestmark = pytest.mark.asyncio(loop_scope="session")
CHROMIUM = shutil.which("chromium")


async def test_the_description_is_served(edge: Front) -> None:
    """It is JSON, whole, and needs no token."""
    reply = await edge.call("GET", "/api/openapi.json")

    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json["openapi"] == "3.1.0"
    assert edge.backend.calls == []


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/docs", "text/html"),
        ("/api/docs/", "text/html"),
        ("/api/docs/style.css", "text/css"),
        ("/api/docs/reader.js", "text/javascript"),
        ("/api/docs/words.js", "text/javascript"),
        ("/api/docs/schema.js", "text/javascript"),
        ("/api/docs/call.js", "text/javascript"),
    ],
)
async def test_the_page_and_what_it_loads_are_served(edge: Front, path: str, kind: str) -> None:
    """Each file has its type and a policy that lets it load nothing from elsewhere."""
    reply = await edge.call("GET", path)

    assert reply.status == 200
    assert reply.headers["content-type"].startswith(kind)
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert "unsafe" not in reply.headers["content-security-policy"]
    assert len(reply.body) > 500


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("", ("medhub.clinical.v1.PatientService", "Start here")),
        (
            "#PatientService_MergePatients",
            (
                "clinical.patients.merge",
                "MERGE_INVERTED",
                "REQUEST_TOO_LARGE",
                "/clinical/v1/patients/{patient}:merge",
            ),
        ),
    ],
)
async def test_a_browser_shows_the_page(
    edge: Front, tmp_path: Path, place: str, shown: tuple[str, ...]
) -> None:
    """Chromium runs the page under its policy, without a complaint, and shows the contract."""
    process = await asyncio.create_subprocess_exec(
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-gpu",
        "--no-first-run",
        f"--user-data-dir={tmp_path}",
        "--lang=en",
        "--virtual-time-budget=5000",
        "--enable-logging=stderr",
        "--dump-dom",
        f"http://127.0.0.1:{edge.port}/api/docs{place}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, log = await asyncio.wait_for(process.communicate(), 60)

    page = out.decode()
    assert [text for text in shown if text not in page] == []
    assert not re.search(rb"CONSOLE.*(Error|Refused|Uncaught|Content Security)", log), log.decode()
