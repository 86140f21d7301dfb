"""The queue of messages against a real database."""

import asyncio

import pytest

from auth.background import own_call
from auth.delivery import Delivery, Fault, Nobody, Outbox, Provider, Undelivered
from auth.domain.messages import TERMS, Channel, Message, Template
from auth.domain.wording import Text
from auth.posting import Post
from tests.support.credentials import Auth
from tests.support.mails import kept_messages

TO = "ana@clinic.test"


class Scripted:
    """Takes messages, or fails as it is told, in order; then it takes all."""

    keeps = False

    def __init__(self, *failures: Undelivered) -> None:
        self.failures = list(failures)
        self.taken: list[tuple[str, Text]] = []

    async def deliver(self, to: str, text: Text) -> None:
        """Take one."""
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append((to, text))


def _code(to: str = TO) -> Message:
    return Message(Channel.EMAIL, to, Template.EMAIL_CODE, "en", {"code": "314159"})


def _delivery(auth: Auth, post: Post, provider: Provider) -> Delivery:
    return Delivery(auth.store, post, dict.fromkeys(Channel, provider))


async def _queue(auth: Auth, post: Post, *messages: Message) -> list[bool]:
    async with auth.store.begin_as(own_call("Test", "auth.test")) as tx:
        return [await post.send(tx, message) for message in messages]


async def test_a_message_is_sealed_until_it_leaves_and_then_gone(auth: Auth) -> None:
    """Neither recipient nor code stands in the row, before or after."""
    post, provider = Post(auth.keyring), Scripted()
    await _queue(auth, post, _code())
    queued = auth.rows("SELECT * FROM message")

    assert await _delivery(auth, post, provider).send_next()

    [(to, text)] = provider.taken
    assert (to, "314159" in text.body) == (TO, True)
    for told in (b"clinic.test", b"314159"):
        assert told not in bytes(queued[0]["content"])
    assert auth.rows("SELECT state, content, attempts FROM message") == [
        {"state": "SENT", "content": None, "attempts": 1}
    ]


async def test_a_change_that_is_rolled_back_sends_nothing(auth: Auth) -> None:
    """The message is part of the transaction; the key it would have made, too."""
    post = Post(auth.keyring)

    async def queue_and_fail() -> None:
        async with auth.store.begin_as(own_call("Test", "auth.test")) as tx:
            await post.send(tx, _code())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await queue_and_fail()
    await _queue(auth, post, _code("ben@clinic.test"))

    kept = await kept_messages(auth.store, auth.keyring)
    assert [each.to for each in kept] == ["ben@clinic.test"]


async def test_nobody_is_flooded(auth: Auth) -> None:
    """However many are asked for at once, one recipient gets the bound of an hour."""
    most = TERMS[Template.EMAIL_CODE].most_an_hour
    await _queue(auth, Post(auth.keyring), _code("ben@clinic.test"))
    post = Post(auth.keyring)

    spelled = [_code(TO.upper() if n % 2 else TO) for n in range(most + 6)]
    added = await asyncio.gather(*(_queue(auth, post, each) for each in spelled))

    assert sum(each[0] for each in added) == most
    assert await _queue(auth, post, _code("ben@clinic.test")) == [True]


async def test_the_bound_of_one_kind_leaves_the_others(auth: Auth) -> None:
    """Who floods somebody with codes cannot keep the notice of a changed password from them."""
    post = Post(auth.keyring)
    await _queue(auth, post, *[_code()] * (TERMS[Template.EMAIL_CODE].most_an_hour + 1))

    notice = Message(Channel.EMAIL, TO, Template.PASSWORD_CHANGED)

    assert await _queue(auth, post, notice) == [True]


async def test_a_failed_delivery_is_tried_again_later(auth: Auth) -> None:
    """It is put off, and its fault can be seen meanwhile."""
    post, provider = Post(auth.keyring), Scripted(Undelivered(Fault.UNREACHABLE))
    delivery = _delivery(auth, post, provider)
    await _queue(auth, post, _code())

    assert await delivery.send_next()
    [put_off] = auth.rows("SELECT state, fault, due_at > created_at AS later FROM message")
    auth.rows("UPDATE message SET due_at = now()")
    assert await delivery.send_next()

    assert put_off == {"state": "QUEUED", "fault": "UNREACHABLE", "later": True}
    assert len(provider.taken) == 1


async def test_what_is_refused_for_good_is_dead_and_seen(auth: Auth) -> None:
    """A dead message keeps its reason and loses its content."""
    post = Post(auth.keyring)
    await _queue(auth, post, _code())

    assert await _delivery(auth, post, Nobody()).send_next()

    async with auth.store.begin_as(own_call("Test", "auth.test")) as tx:
        [shown] = await tx.messages.shown()
    assert (shown.state, shown.fault, shown.content) == ("DEAD", "NO_PROVIDER", None)


@pytest.mark.parametrize(
    ("change", "fault"),
    [("expires_at = now()", "EXPIRED"), ("attempts = 60, fault = 'PUT_OFF'", "PUT_OFF")],
)
async def test_what_nobody_can_use_or_send_is_given_up(auth: Auth, change: str, fault: str) -> None:
    """Neither an old code nor an endless failure stays in the queue."""
    post, provider = Post(auth.keyring), Scripted()
    await _queue(auth, post, _code())
    auth.rows(f"UPDATE message SET {change}")

    assert not await _delivery(auth, post, provider).send_next()

    assert provider.taken == []
    assert auth.rows("SELECT state, fault, content FROM message") == [
        {"state": "DEAD", "fault": fault, "content": None}
    ]


async def test_two_senders_do_not_send_one_message_twice(auth: Auth) -> None:
    """Each takes what no other has taken."""
    post, provider = Post(auth.keyring), Scripted()
    one, other = _delivery(auth, post, provider), _delivery(auth, Post(auth.keyring), provider)
    await _queue(auth, post, *[_code(f"p{n}@clinic.test") for n in range(8)])

    await asyncio.gather(*(each.send_next() for each in [one, other] * 4))

    assert sorted(to for to, _ in provider.taken) == [f"p{n}@clinic.test" for n in range(8)]


async def test_the_development_outbox_keeps_what_it_takes_sealed(auth: Auth) -> None:
    """The command that shows it opens it; the row alone tells nothing."""
    post = Post(auth.keyring)
    await _queue(auth, post, _code())

    await _delivery(auth, post, Outbox()).send_next()

    [message] = await kept_messages(auth.store, auth.keyring)
    assert message == _code()
    assert auth.rows("SELECT state FROM message") == [{"state": "KEPT"}]
