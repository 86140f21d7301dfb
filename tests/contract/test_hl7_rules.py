"""docs/hl7.md names every check that an endpoint may have reject, and no other."""

import re
from pathlib import Path

from clinical.formats.hl7v2.rules import RAISABLE

_DOCS = Path(__file__).parents[2] / "docs/hl7.md"


def test_the_rules_that_can_be_set_are_told() -> None:
    """Each once: whoever writes `rejected_rules` reads them there."""
    text = _DOCS.read_text(encoding="utf-8")
    section = text.partition("## Stricter endpoints\n")[2].partition("\n## ")[0]
    [table] = re.findall(r"\| of \| rules \|\n.*?\n\n", section, re.DOTALL)

    assert sorted(re.findall(r"`([^`]+)`", table)) == sorted(RAISABLE)
