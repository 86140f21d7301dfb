"""docs/asvs.md says of every requirement how it is held, and names tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_ROW = re.compile(
    r"^\| V(?P<number>[\d.]+) \| (?P<level>\d) \| [^|]+ \| (?P<held>[^|]+) \|$", re.MULTILINE
)
_TEST = re.compile(r"`(tests/[\w/.]+)::(\w+)`")
# How a row begins that names no test.
_REASONS = ("Told: ", "Held by ", "Met by ", "Does not apply", "Not met")
# How many requirements each section of ASVS 5.0.0 has, and the level of each.
_LEVELS = {
    "6.1": "122", "6.2": "111111112222", "6.3": "11223333", "6.4": "112233", "6.5": "22222333",
    "6.6": "2223", "6.7": "33", "6.8": "2222",
    "7.1": "222", "7.2": "1111", "7.3": "22", "7.4": "11222", "7.5": "223", "7.6": "22",
    "8.1": "1233", "8.2": "1123", "8.3": "133", "8.4": "23",
    "9.1": "111", "9.2": "1222",
}  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> list[re.Match[str]]:
    """The rows of all tables."""
    return list(_ROW.finditer((ROOT / "docs/asvs.md").read_text(encoding="utf-8")))


def test_every_requirement_has_its_row(rows: list[re.Match[str]]) -> None:
    """In the order of the standard, each once, with its level."""
    asked = [
        (f"{section}.{number}", level)
        for section, levels in _LEVELS.items()
        for number, level in enumerate(levels, start=1)
    ]

    assert [(row["number"], row["level"]) for row in rows] == asked


def test_a_row_names_tests_that_exist_or_a_reason(rows: list[re.Match[str]]) -> None:
    """A test that was renamed or taken away would leave a promise that nobody keeps."""
    wrong = []
    for row in rows:
        named = _TEST.findall(row["held"])
        if not named and not row["held"].startswith(_REASONS):
            wrong.append(f"V{row['number']} says neither")
        wrong += [
            f"V{row['number']}: {path}::{name}" for path, name in named if not _is(path, name)
        ]

    assert wrong == []


def _is(path: str, name: str) -> bool:
    file = ROOT / path
    pattern = rf"^(async )?def {name}\("
    return file.is_file() and bool(
        re.search(pattern, file.read_text(encoding="utf-8"), re.MULTILINE)
    )
