"""What messages say, and how long they are tried."""

import re
from datetime import timedelta
from string import Formatter

import pytest

from auth.domain.messages import (
    LANGUAGES,
    LONGEST_DELAY,
    TERMS,
    Channel,
    Message,
    Template,
    delay_after,
)
from auth.domain.wording import WORDING, text_of


def _message(template: Template, language: str = "en", **values: str) -> Message:
    return Message(Channel.EMAIL, "ana@clinic.test", template, language, values)


@pytest.mark.parametrize("template", list(Template))
def test_a_template_is_worded_in_each_language_with_the_same_values(template: Template) -> None:
    """Nobody gets a message that lacks its token because of their language."""
    texts = [WORDING[template][language] for language in LANGUAGES]

    used = [{name for _, name, _, _ in Formatter().parse(text.body) if name} for text in texts]

    assert WORDING[template].keys() == set(LANGUAGES)
    assert [each - {"link"} for each in used] == [set(TERMS[template].values)] * len(LANGUAGES)
    assert len({text.subject for text in texts}) == len(LANGUAGES)


def test_values_must_be_those_of_the_template() -> None:
    """A message that would lack something is a fault where it is made, not where it is sent."""
    with pytest.raises(ValueError, match="RESET_PASSWORD"):
        _message(Template.RESET_PASSWORD)
    with pytest.raises(ValueError, match="PASSWORD_CHANGED"):
        _message(Template.PASSWORD_CHANGED, token="x")


def test_an_unknown_language_is_english() -> None:
    """Preferences may name a language that medhub does not speak."""
    said = text_of(_message(Template.EMAIL_CODE, "pt", code="123456"))

    assert said == text_of(_message(Template.EMAIL_CODE, "en", code="123456"))
    assert (
        "Votre code est 123456" in text_of(_message(Template.EMAIL_CODE, "fr", code="123456")).body
    )


def test_a_value_adds_no_line_of_its_own() -> None:
    """Whoever names an organization cannot write the message."""
    said = text_of(
        _message(
            Template.INVITATION, token="t0k", organization="Parc\n\nPay here:\r\u202ex" + "y" * 999
        )
    )

    first = said.body.splitlines()[0]
    assert first.startswith("Parc  Pay here:  xyyy")
    assert re.search("y{400}", said.body) is None


def test_a_value_is_not_read_as_a_form() -> None:
    """Braces in a name stay braces."""
    said = text_of(_message(Template.INVITATION, token="t0k", organization="{token} {0.__class__}"))

    assert said.body.startswith("{token} {0.__class__} invites you.")


def test_a_link_holds_the_token_where_no_server_sees_it() -> None:
    """What follows `#` stays in the browser."""
    said = text_of(_message(Template.RESET_PASSWORD, token="t0k"), "https://portal.test")

    assert "https://portal.test/reset-password#t0k\n" in said.body
    assert "https:" not in text_of(_message(Template.RESET_PASSWORD, token="t0k")).body


def test_the_content_of_a_message_is_not_printed() -> None:
    """Neither a log line nor a failed assertion tells the token or the address."""
    printed = repr(_message(Template.RESET_PASSWORD, token="t0k"))

    assert "t0k" not in printed
    assert "ana@" not in printed


def test_the_delay_doubles_up_to_its_bound() -> None:
    """A hiccup costs a tenth of a second, an outage is asked about twice a minute."""
    delays = [delay_after(attempts) for attempts in (1, 2, 3, 9, 10, 60)]

    assert delays[:3] == [timedelta(milliseconds=each) for each in (100, 200, 400)]
    assert delays[3:] == [timedelta(seconds=25.6), LONGEST_DELAY, LONGEST_DELAY]
