"""run.json: its shape is a promise to scripts."""

import json
from pathlib import Path

from hub import run_file
from hub.run_file import DemoOrganization, Running

NICE: DemoOrganization = {
    "name": "organizations/018f5a3e-0000-7000-8000-000000000001",
    "display_name": "Hôpital de Nice",
    "users": [{"email": "a@nice.example", "password": "p", "roles": ["doctor"]}],
}
RUNNING = Running(
    pid=42,
    grpc={"auth": "127.0.0.1:1", "clinical": "127.0.0.1:2", "compliance": "127.0.0.1:3"},
    http="http://127.0.0.1:4",
    mllp_host="127.0.0.1",
    mllp_port=5,
    organizations=[NICE],
)


def test_the_file_has_the_promised_shape(tmp_path: Path) -> None:
    """Every key is where scripts look for it, and only the owner can read the passwords."""
    path = tmp_path / "run.json"

    run_file.write(path, RUNNING)

    assert json.loads(path.read_text()) == {
        "pid": 42,
        "grpc": {"auth": "127.0.0.1:1", "clinical": "127.0.0.1:2", "compliance": "127.0.0.1:3"},
        "edge": {"http": "http://127.0.0.1:4"},
        "mllp": {"host": "127.0.0.1", "port": 5},
        "demo": {"organizations": [NICE]},
    }
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Writing and reading are a pair."""
    path = tmp_path / "run.json"

    run_file.write(path, RUNNING)

    assert run_file.read(path) == RUNNING


def test_no_file_means_that_nothing_runs(tmp_path: Path) -> None:
    """A removed file reads as nothing, and removing it twice is no error."""
    path = tmp_path / "run.json"
    run_file.write(path, RUNNING)

    run_file.remove(path)
    run_file.remove(path)

    assert run_file.read(path) is None


def test_nothing_runs_where_a_file_is_instead_of_a_folder(tmp_path: Path) -> None:
    """Whoever asks is not told a traceback."""
    file = tmp_path / "file"
    file.touch()

    assert run_file.read(file / "run.json") is None
