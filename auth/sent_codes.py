"""Codes by SMS and by mail: each answers the challenge that it was sent for, and nothing else."""

import hmac
from dataclasses import dataclass, field
from uuid import UUID

from auth.domain.codes import new_sent_code, sent_code_hash
from auth.domain.factors import Kind
from auth.domain.messages import Channel, Message, Template
from auth.domain.refusals import TooManyCodes
from auth.posting import Post
from auth.signing import Signer
from auth.storage.challenges import Challenge
from auth.storage.store import Tx
from core import clock


@dataclass(frozen=True, slots=True)
class Asked:
    """A code that somebody wants: for which account, in its language, how and where to it goes."""

    account: UUID
    language: str
    kind: Kind
    to: str = field(repr=False)


class SentCodes:
    """Sends codes and knows them again."""

    def __init__(self, signer: Signer, post: Post) -> None:
        self._signer = signer
        self._post = post

    async def send(self, tx: Tx, key: bytes, factor: UUID | None, asked: Asked) -> None:
        """Send a code that answers the challenge, in place of one sent before.

        Raises TooManyCodes, whether it is the recipient or the account that has had many.
        """
        sms = asked.kind is Kind.SMS
        channel = Channel.SMS if sms else Channel.EMAIL
        if not await self._post.may_ask(tx, asked.account, channel):
            raise TooManyCodes
        code = new_sent_code()
        kept = sent_code_hash(await self._signer.derivation_key(tx), key, code)
        message = Message(
            channel=channel,
            to=asked.to,
            template=Template.SMS_CODE if sms else Template.EMAIL_CODE,
            language=asked.language,
            values={"code": code},
        )
        expected = await tx.challenges.sent(key, kept, factor, clock.now())
        if not expected or not await self._post.send(tx, message):
            raise TooManyCodes

    async def is_sent(self, tx: Tx, found: Challenge, factor: UUID | None, code: str) -> bool:
        """Whether it is the code that was last sent for this challenge and factor."""
        if found.code_hash is None or found.code_factor != factor:
            return False
        kept = sent_code_hash(await self._signer.derivation_key(tx), found.hash, code)
        return hmac.compare_digest(kept, found.code_hash)
