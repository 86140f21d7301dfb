"""A server that is told too little, or something wrong, does not start, and says why."""

import base64
from pathlib import Path

import pytest

from core.rpc.channel import ServiceKey
from core.service import run
from core.starting import EXIT_CODE, CannotStart, in_words


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
    assert ended.value.code == EXIT_CODE
    assert "MEDHUB_CLINICAL_DATABASE_APP_URL" in told
    assert "MEDHUB_CLINICAL_LISTEN" not in told


WHOLE = {
    "LISTEN": "127.0.0.1:0",
    "DATABASE_APP_URL": "postgresql://u:canary@127.0.0.1:9/x",
    "DATABASE_RELAY_URL": "postgresql://u:canary@127.0.0.1:9/x",
    "DATABASE_PAGE_KEY": base64.b64encode(bytes(32)).decode(),
    "AUTH_TARGET": "127.0.0.1:9",
    "COMPLIANCE_TARGET": "127.0.0.1:9",
    "ANALYTICS_TARGET": "127.0.0.1:9",
    "KEYRING_PATH": "/nowhere/keyring",
    "KEYRING_PASSPHRASE": "canary",
    "SERVICE_KEY_PATH": "/nowhere/key",
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"DATABASE_PAGE_KEY": "canary"}, "MEDHUB_CLINICAL_DATABASE_PAGE_KEY"),
        ({"DATABASE_PAGE_KEY": "Y2FuYXJ5"}, "MEDHUB_CLINICAL_DATABASE_PAGE_KEY"),
        ({"KEYRING_PASSPHRASE": None}, "KEYRING_PASSPHRASE"),
        ({"TLS_KEY_PATH": "/nowhere/tls"}, "TLS_AUTHORITY_PATH belong together"),
        ({"LISTEN": "0.0.0.0:1"}, "LISTEN is in plain text beyond this machine"),
        ({"LISTEN": "canary"}, "MEDHUB_CLINICAL_LISTEN"),
        ({"LISTEN": "127.0.0.1:99999"}, "MEDHUB_CLINICAL_LISTEN"),
        ({"METRICS_LISTEN": "127.0.0.1:99999"}, "MEDHUB_CLINICAL_METRICS_LISTEN"),
        ({"METRICS_LISTEN": "canary"}, "MEDHUB_CLINICAL_METRICS_LISTEN"),
        ({"DATABASE_APP_URL": "postgresql://u:can ary@h/x"}, "MEDHUB_CLINICAL_DATABASE_APP_URL"),
        ({"DATABASE_APP_URL": "postgresql://u:x@canary@h/x"}, "MEDHUB_CLINICAL_DATABASE_APP_URL"),
        ({"DATABASE_APP_URL": ""}, "MEDHUB_CLINICAL_DATABASE_APP_URL"),
        ({"DATABASE_RELAY_URL": "canary"}, "MEDHUB_CLINICAL_DATABASE_RELAY_URL"),
        ({"REFLECTION": "canary"}, "MEDHUB_CLINICAL_REFLECTION"),
        ({"TRUSTED_PROXIES": "127.0.0.1,canary"}, "MEDHUB_CLINICAL_TRUSTED_PROXIES"),
        ({"AUTH_TARGET": "nonsense://canary"}, "MEDHUB_CLINICAL_AUTH_TARGET"),
        ({"COMPLIANCE_TARGET": ""}, "MEDHUB_CLINICAL_COMPLIANCE_TARGET"),
        ({"SUBJECT_TARGETS": '{"auth": "canary"}'}, "MEDHUB_CLINICAL_SUBJECT_TARGETS.auth"),
        ({"OTLP_ENDPOINT": "canary"}, "MEDHUB_CLINICAL_OTLP_ENDPOINT"),
        ({"POOL_SIZE": "canary"}, "MEDHUB_CLINICAL_POOL_SIZE"),
        ({"POOL_SIZE": "900"}, "MEDHUB_CLINICAL_POOL_SIZE"),
        ({"SUBJECT_TARGETS": "canary"}, "subject_targets"),
    ],
)
def test_what_is_wrong_is_named_and_no_value_is_shown(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, str | None],
    said: str,
) -> None:
    """A page key or a password that was mistyped stands in no log."""
    for name, value in {**WHOLE, **changed}.items():
        if value is not None:
            monkeypatch.setenv(f"MEDHUB_CLINICAL_{name}", value)

    with pytest.raises(SystemExit) as ended:
        run("clinical", _build)

    told = capsys.readouterr().err
    assert ended.value.code == EXIT_CODE
    assert said in told
    assert all(line.startswith("medhub: ") for line in told.splitlines())
    assert "anary" not in told
    assert "Y2Fu" not in told


@pytest.mark.parametrize(
    "content", [None, "canary", "[]", '{"account": "a", "private_key": "canary"}']
)
def test_a_key_file_that_cannot_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    """Missing, or of something else: what is in it is not shown."""
    path = tmp_path / "key.json"
    if content is not None:
        path.touch(mode=0o600)
        path.write_text(content)

    with pytest.raises(CannotStart) as why:
        ServiceKey.read(path)

    assert str(path) in str(why.value)
    assert "canary" not in str(why.value)


def test_a_process_that_cannot_start_says_each_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each, and a code of its own."""
    with pytest.raises(SystemExit) as ended, in_words():
        raise CannotStart("one\ntwo")

    assert capsys.readouterr().err == "medhub: one\nmedhub: two\n"
    assert ended.value.code == EXIT_CODE
