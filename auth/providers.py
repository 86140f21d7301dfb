"""Which provider takes the messages of each channel, as the settings say."""

from collections.abc import Mapping
from contextlib import AsyncExitStack

from auth.delivery import Nobody, Outbox, Provider
from auth.domain.messages import Channel
from auth.mail import SmtpMail
from auth.settings import MessageSettings
from auth.text_messages import HttpSms


def providers(settings: MessageSettings, parts: AsyncExitStack) -> Mapping[Channel, Provider]:
    """One for each channel; what they hold open is closed with `parts`."""
    return {Channel.EMAIL: _mail(settings), Channel.SMS: _sms(settings, parts)}


def _mail(settings: MessageSettings) -> Provider:
    if settings.mail == "outbox":
        return Outbox()
    if settings.mail == "off":
        return Nobody()
    return SmtpMail(
        settings.smtp_host,
        settings.smtp_port,
        security=settings.smtp_security,
        sender=settings.sender(),
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value(),
        authorities=settings.smtp_ca_path,
    )


def _sms(settings: MessageSettings, parts: AsyncExitStack) -> Provider:
    if settings.sms == "outbox":
        return Outbox()
    if settings.sms == "off":
        return Nobody()
    made = HttpSms(
        settings.sms_url,
        settings.sms_body,
        secret=settings.sms_secret.get_secret_value(),
        authorities=settings.sms_ca_path,
    )
    parts.push_async_callback(made.close)
    return made
