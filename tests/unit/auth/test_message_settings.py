"""What an operator says about messages is complete, or refused at the start."""

import pytest
from pydantic import ValidationError

from auth.settings import MessageSettings


def test_unless_told_nothing_leaves() -> None:
    """The development outbox is nobody's default but that of `medhub up`."""
    said = MessageSettings()

    assert (said.mail, said.sms) == ("off", "off")


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"mail": "smtp", "mail_from": "a@b.test"}, "SMTP_HOST"),
        ({"mail": "smtp", "smtp_host": "mx.test"}, "MAIL_FROM"),
        ({"mail": "smtp", "smtp_host": "mx.test", "mail_from": "nobody"}, "MAIL_FROM"),
        (
            {
                "mail": "smtp",
                "smtp_host": "mx.test",
                "mail_from": "a@b.test",
                "smtp_security": "none",
            },
            "SMTP_SECURITY",
        ),
        ({"sms": "http"}, "SMS_URL"),
        ({"sms": "http", "sms_url": "http://sms.test/send"}, "SMS_URL"),
        ({"sms": "http", "sms_url": "https://sms.test/send", "sms_body": "{}"}, "SMS_BODY"),
        ({"portal_url": "http://portal.test"}, "PORTAL_URL"),
    ],
)
def test_what_is_missing_or_in_clear_is_refused(given: dict[str, str], complaint: str) -> None:
    """The server says which variable, and does not start."""
    with pytest.raises(ValidationError, match=complaint):
        MessageSettings.model_validate(given)


def test_on_this_machine_nothing_is_encrypted_if_so_told() -> None:
    """A relay beside the server is reached without a network."""
    said = MessageSettings.model_validate({
        "mail": "smtp", "smtp_host": "127.0.0.1", "smtp_security": "none", "mail_from": "a@b.test",
        "sms": "http", "sms_url": "http://localhost:9/send",
    })  # fmt: skip

    assert said.sender().addr_spec == "a@b.test"
