"""Results: what is measured apart takes its place in the page."""

from benchmarks.results import merged

_WHOLE = """# Benchmarks

How.

- Date: Monday

## One

Old.

## Two

Kept.
"""


def test_a_section_measured_apart_replaces_its_namesake() -> None:
    """The other sections and the head stay; the new one says when and where it was measured."""
    apart = "# Benchmarks\n\nHow.\n\n- Date: Tuesday\n- Launches: 3\n\n## One\n\nNew.\n"

    page = merged(_WHOLE, apart)

    assert page == (
        "# Benchmarks\n\nHow.\n\n- Date: Monday\n"
        "\n## One\n\nNew.\n\nMeasured apart from the rest of this page:\n\n"
        "- Date: Tuesday\n- Launches: 3\n"
        "\n## Two\n\nKept.\n"
    )


def test_a_section_that_is_new_comes_last() -> None:
    """Merging twice gives the page of the second time."""
    first = "# Benchmarks\n\n- Date: Tuesday\n\n## Three\n\nFirst.\n"
    second = first.replace("First", "Second")

    once = merged(_WHOLE, second)

    assert once.endswith(
        "## Three\n\nSecond.\n\nMeasured apart from the rest of this page:\n\n- Date: Tuesday\n"
    )
    assert merged(merged(_WHOLE, first), second) == once
