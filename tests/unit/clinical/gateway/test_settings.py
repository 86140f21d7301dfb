"""What the gateway is told is complete, or refused by name."""

import pytest

from clinical.gateway.settings import GatewaySettings
from core.starting import CannotStart


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"LISTEN": "127.0.0.1:99999"}, "MEDHUB_GATEWAY_LISTEN"),
        ({"CLINICAL_TARGET": "nonsense://x"}, "MEDHUB_GATEWAY_CLINICAL_TARGET"),
        ({"ENDPOINTS": '[{"listen": ""}]'}, "MEDHUB_GATEWAY_ENDPOINTS.0.listen"),
        ({"LISTEN": None}, "listen and service_key_path"),
    ],
)
def test_the_gateway_names_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, str | None], said: str
) -> None:
    """As servers do."""
    whole = {
        "AUTH_TARGET": "127.0.0.1:9",
        "CLINICAL_TARGET": "127.0.0.1:9",
        "LISTEN": "127.0.0.1:0",
        "SERVICE_KEY_PATH": "/nowhere/key",
        "ENDPOINT_PATH": "/nowhere/endpoint",
    }
    for name, value in {**whole, **changed}.items():
        if value is not None:
            monkeypatch.setenv(f"MEDHUB_GATEWAY_{name}", value)

    with pytest.raises(CannotStart, match=said):
        GatewaySettings.read()
