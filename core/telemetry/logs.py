"""Structured logs: one JSON object a line, with the trace id, without data of anybody."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

# The text of an exception may quote a row or a secret (PostgreSQL's do). Only where it was
# raised is logged: type, file, line and function of each frame.
MAX_FRAMES = 30
# Loggers of ours begin with this; their messages hold no values of class PERSONAL or above.
OURS = "medhub"
# Lines of libraries that are told whole: without what is filled in, nobody could mend the matter.
# What libpq says about connecting holds host, port, role and database, and the server has not been
# asked for a row; the others name a kind of database.
_WHOLE = {
    "psycopg.pool": frozenset({"error connecting in %r: %s"}),
    "alembic.runtime.migration": frozenset({"Context impl %s.", "Will assume %s DDL."}),
}
# What grpc.aio leaves behind when a stream is given up: the task that reads its requests, and the
# generator that the task was in. Nothing is wrong then, and nobody could do anything.
_GRPC_LEFTOVERS = (
    "StreamRequestMixin._consume_request_iterator",
    "aclose(): asynchronous generator is already running",
)


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The line for a record; an exception becomes its type and its frames."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": _message(record),
        }
        trace_id = getattr(record, "trace_id", "")
        if trace_id:
            line["trace"] = trace_id
        if record.exc_info and record.exc_info[1] is not None:
            line["cause"] = chain_of(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    return not any(leftover in text for leftover in _GRPC_LEFTOVERS)


def _message(record: logging.LogRecord) -> str:
    """What a record says. Of libraries only the fixed words, but for a few lines: what they fill in
    may quote anything, and below its first line asyncio shows the exceptions of tasks.
    """
    known = record.msg in _WHOLE.get(record.name, ())
    if known or record.name.partition(".")[0] == OURS:
        return record.getMessage()
    return str(record.msg).partition("\n")[0]


def chain_of(error: BaseException) -> list[dict[str, object]]:
    """An exception and what caused it: types and places, no texts."""
    told: list[dict[str, object]] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen and len(told) < 5:
        seen.add(id(current))
        frames = traceback.extract_tb(current.__traceback__)[-MAX_FRAMES:]
        told.append({
            "type": f"{type(current).__module__}.{type(current).__qualname__}",
            "sqlstate": getattr(current, "sqlstate", None),
            "frames": [f"{f.filename}:{f.lineno} {f.name}" for f in frames],
        })  # fmt: skip
        current = current.__cause__ or current.__context__
    return told


def set_up(service: str, *, debug: bool = False) -> None:
    """Send all logs of the process to standard error, as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if debug else logging.INFO)
    # Their debug output quotes statements, parameters and tokens.
    logging.getLogger("asyncio").addFilter(_is_worth_a_line)
    for library in ("psycopg", "psycopg.pool", "sqlalchemy", "grpc", "hpack", "asyncio"):
        logging.getLogger(library).setLevel(logging.WARNING)
