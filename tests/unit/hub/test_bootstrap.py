"""dev.py: what it decides before it installs anything."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def dev(tmp_path: Path) -> ModuleType:
    """The bootstrap, pointed at a repository of one lock and no environment."""
    spec = spec_from_file_location("dev", ROOT / "dev.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "requirements.lock").write_text((ROOT / "requirements.lock").read_text())
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    module.ROOT = tmp_path  # type: ignore[attr-defined]
    module.LOCK = tmp_path / "requirements.lock"  # type: ignore[attr-defined]
    module.VENV = tmp_path / ".venv"  # type: ignore[attr-defined]
    module.PYTHON = Path(sys.executable)  # type: ignore[attr-defined]
    module.STAMP = tmp_path / ".venv" / "medhub.stamp"  # type: ignore[attr-defined]
    return module


def test_the_halves_hold_each_locked_package_once(dev: ModuleType, tmp_path: Path) -> None:
    """Dealing the lock into two loses no package and no hash."""
    whole = dev.LOCK.read_text()

    texts = [half.read_text() for half in dev.lock_halves(tmp_path)]

    for part in ("==", "--hash=sha256:"):
        assert sum(text.count(part) for text in texts) == whole.count(part)
    first, second = (
        {line.split("==")[0] for line in text.splitlines() if "==" in line} for text in texts
    )
    assert first.isdisjoint(second)


def test_a_change_of_the_lock_makes_the_environment_stale(dev: ModuleType) -> None:
    """The stamp holds the hash of the lock, so an old environment is not taken for a new one."""
    before = dev.fingerprint()

    dev.LOCK.write_text("alembic==0\n")

    assert dev.fingerprint() != before


def test_a_moved_environment_is_not_used(dev: ModuleType, tmp_path: Path) -> None:
    """Its scripts name an interpreter that is no longer there."""
    dev.VENV.mkdir()
    dev.STAMP.write_text(dev.fingerprint())
    usable_in_place = dev.is_usable()

    dev.VENV = tmp_path / "elsewhere"  # type: ignore[attr-defined]

    assert usable_in_place
    assert not dev.is_usable()


def test_the_lock_names_no_address() -> None:
    """Packages come from wherever the user's pip is told to look."""
    lock = (ROOT / "requirements.lock").read_text()

    assert "://" not in lock
    assert "index-url" not in lock


def test_each_recipe_says_what_it_is_for() -> None:
    """`just --list` is the newcomer's menu: no recipe without its one-line comment."""
    lines = (ROOT / "justfile").read_text().splitlines()

    recipes = {
        line.split(":")[0].split()[0]: lines[number - 1]
        for number, line in enumerate(lines)
        if line[:1].isalpha() and ":" in line and not line.startswith(("set ", "export "))
    }

    wanted = {"setup", "up", "demo", "test", "check", "gen", "bench", "campaign", "fmt"}
    assert wanted <= recipes.keys()
    assert all(before.startswith("# ") for name, before in recipes.items() if name in wanted)
