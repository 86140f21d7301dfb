"""A server that is told too little does not start, and says what is missing."""

import pytest

from core.service import run


async def _build(_core: object) -> dict[str, object]:
    return {}


def test_a_missing_setting_is_named_as_the_environment_has_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback: the names of the variables, and an exit code of its own."""
    monkeypatch.setenv("MEDHUB_CLINICAL_LISTEN", "127.0.0.1:0")

    with pytest.raises(SystemExit) as ended:
        run("clinical", _build)

    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert "MEDHUB_CLINICAL_DATABASE_APP_URL" in told
    assert "MEDHUB_CLINICAL_LISTEN" not in told
