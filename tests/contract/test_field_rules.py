"""Every rule that a field can break is told in a sentence."""

import ast
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from google.rpc import error_details_pb2, status_pb2

from clinical.domain.ins import InsFault
from core.contract import everything
from core.errors import InvalidField
from core.rpc.field_rules import SENTENCES
from core.rpc.translate import tell

ROOT = Path(__file__).parents[2]
PARTS = ("analytics", "auth", "billing", "clinical", "compliance", "core")
# Rules that are named by an enum.
ENUMS: tuple[type[Enum], ...] = (InsFault,)


def _rules_of(path: Path) -> Iterator[str]:
    """What the calls in a file give as `rule`, and what functions take where nothing is given."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            given = [one.value for one in node.keywords if one.arg == "rule"]
            if getattr(node.func, "id", "") == "FieldViolation":
                given += node.args[1:2]
            yield from (str(one.value) for one in given if isinstance(one, ast.Constant))
        elif isinstance(node, ast.FunctionDef):
            named = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            for name, default in named:
                if name.arg == "rule" and isinstance(default, ast.Constant):
                    yield str(default.value)


def test_every_rule_has_a_sentence_and_every_sentence_a_rule() -> None:
    """Who reads a refusal reads what is wrong."""
    files = (path for part in PARTS for path in (ROOT / part).rglob("*.py"))
    rules = {rule for path in files for rule in _rules_of(path)}
    rules |= {fault.value for each in ENUMS for fault in each}

    assert rules == SENTENCES.keys()


def test_a_refusal_says_what_is_wrong_with_its_field() -> None:
    """The sentence of the rule, unless the refusal has a better one."""
    short = InvalidField(field="reason", rule="access_grant.reason")
    own = InvalidField(field="a", rule="unique", description="each key once")

    told = [_descriptions(tell(refusal, everything(), "en").details) for refusal in (short, own)]

    assert told == [["a reason has at least 8 characters beside white space"], ["each key once"]]


def _descriptions(details: bytes) -> list[str]:
    bad = error_details_pb2.BadRequest()
    [_] = [one for one in status_pb2.Status.FromString(details).details if one.Unpack(bad)]
    return [violation.description for violation in bad.field_violations]
