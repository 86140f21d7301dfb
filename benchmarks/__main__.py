"""`python -m benchmarks [scenario…]`: measure, print, and after a whole run write RESULTS.md."""

import argparse
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

from benchmarks.figures import Effort, Section
from benchmarks.results import merged, page
from benchmarks.stage import Stage, stage

RESULTS = Path(__file__).with_name("RESULTS.md")
# Modules with `measure`, in the order of the page. Those that need no platform come first.
ALONE = ("yardstick", "hl7")
STAGED = (
    "get_patient",
    "create_patient",
    "mllp",
    "edge",
    "audit",
    "auth",
    "revocation",
    "comparison",
)
# Needs a platform of its own, which it fills.
LAST = ("scaling",)
EVERY = (*ALONE, *STAGED, *LAST)
# Fewer launches than this say little: one differs from the next by a third.
LAUNCHES = 5
# People and patients of the largest platform that is measured, and what a quick run does with.
LARGEST = 1_000_000
_LARGEST_QUICKLY = 20_000


def main() -> None:
    """Measure what is asked for. Ends non-zero when a scenario could not be measured."""
    options = _options()
    names = [name for name in EVERY if name in (options.scenarios or EVERY)]
    effort = Effort(
        options.launches or (1 if options.quick else LAUNCHES),
        quick=options.quick,
        largest=options.largest or (_LARGEST_QUICKLY if options.quick else LARGEST),
    )
    with ExitStack() as held:
        wanted = set(names) & set(STAGED)
        staged = held.enter_context(stage(options.data_dir)) if wanted else None
        sections = [_measured(name, staged, effort) for name in names if name not in LAST]
        postgres = staged.postgres_version if staged else ""
    sections.extend(_measured(name, None, effort) for name in names if name in LAST)
    text = page(sections, effort, postgres)
    print(text)
    broken = any(section.failed for section in sections)
    whole = not options.scenarios and not options.quick
    if out := options.out or (RESULTS if whole else None):
        out.write_text(text, encoding="utf-8")
    if options.merge:
        RESULTS.write_text(merged(RESULTS.read_text(encoding="utf-8"), text), encoding="utf-8")
    sys.exit(1 if broken else 0)


def _measured(name: str, staged: Stage | None, effort: Effort) -> Section:
    print(f"measuring {name}", file=sys.stderr, flush=True)
    measure: Callable[..., Section] = import_module(f"benchmarks.{name}").measure
    try:
        return measure(staged, effort) if name in STAGED else measure(effort)
    except Exception as failure:  # noqa: BLE001 - the other scenarios are still worth their time
        traceback.print_exc()
        return Section(name, f"**Not measured:** {type(failure).__name__}.", failed=True)


def _options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="just bench", description="Measure medhub.")
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help=f"of {', '.join(EVERY)}")
    parser.add_argument("--launches", type=int, help=f"of every variant, {LAUNCHES} unless said")
    parser.add_argument(
        "--largest", type=int, help=f"people and patients in scaling, {LARGEST:,} unless said"
    )
    parser.add_argument("--quick", action="store_true", help="see whether everything works")
    parser.add_argument("--data-dir", type=Path, help="of a demo that runs, instead of a new one")
    parser.add_argument(
        "--merge", action="store_true", help="put what was measured into the page of results"
    )
    parser.add_argument("--out", type=Path, help="where to write the page")
    options = parser.parse_args(arguments)
    if unknown := set(options.scenarios) - set(EVERY):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    return options


if __name__ == "__main__":
    main()
