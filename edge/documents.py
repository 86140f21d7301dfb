"""The documents that the edge serves itself: the API's description and the page that shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parent / "docs"
OPENAPI = "openapi.json"

# The page loads its own files and calls its own origin, and nothing else.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
_PAGE = {"content-security-policy": _POLICY, "cache-control": "no-cache"}


@dataclass(frozen=True, slots=True)
class Document:
    """A file, the paths it is served at and the headers it is served with."""

    paths: tuple[str, ...]
    file: Path
    headers: Mapping[str, str]


def _served(name: str, kind: str, folder: Path, *paths: str) -> Document:
    return Document(paths, folder / name, {"content-type": kind, **_PAGE})


def documents(folder: Path) -> tuple[Document, ...]:
    """What is served from the folder to which the edge was written."""
    return (
        _served(OPENAPI, "application/json", folder, "/api/openapi.json"),
        _served("index.html", "text/html; charset=utf-8", folder, "/api/docs", "/api/docs/"),
        _served("style.css", "text/css; charset=utf-8", folder, "/api/docs/style.css"),
        *(
            _served(name, "text/javascript; charset=utf-8", folder, f"/api/docs/{name}")
            for name in ("reader.js", "words.js", "schema.js", "call.js")
        ),
    )
