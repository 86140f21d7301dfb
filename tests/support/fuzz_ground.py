"""The ground of a search: a world that it wears out, who calls in it, and what may not be told."""

import asyncio
import random
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

import grpc
from google.protobuf.message import DecodeError, Message

from core.contract import Method
from core.ids import new_id
from tests.support.fuzz_values import CANARY, Words
from tests.support.matrix import Policy, policies, right
from tests.support.matrix_requests import Ask
from tests.support.matrix_world import Side, World, prepare

# As many changes as one request gets; most find out more alone.
CHANGES = (1, 1, 1, 2, 3, 5)
# How many of the requests are made anew.
FRESH = 0.2
# How often a preparation is tried, and the pause between: a call of it may find the machine busy.
PATIENCE, PAUSE_SECONDS = 4, 2.0
# How a preparation fails: a call of it was refused, or what it made is not there any more.
_UNPREPARED = (AssertionError, IndexError, TimeoutError, grpc.aio.AioRpcError)
# Words of answers that are kept for later calls.
KEPT_WORDS = 300
# What the service accounts of a search may not do: one permission each.
LACKING = frozenset({"clinical.patients.read", "auth.roles.create"})


@dataclass(frozen=True)
class Case:
    """A call as its numbers make it, of one of the methods (none named: of all).

    `without` are changes that turned out not to matter.
    """

    seed: int
    number: int
    without: frozenset[int] = frozenset()
    methods: tuple[str, ...] = ()

    def chance(self, of: object) -> random.Random:
        """Randomness of its own for each part, so that one can go and the others stay."""
        return random.Random(f"{self.seed}/{self.number}/{of}")

    @property
    def policy(self) -> Policy:
        """The method that is called."""
        lines = policies()
        return lines[self.chance("method").choice(self.methods or sorted(lines))]

    @property
    def changes(self) -> int:
        """How many changes its request gets."""
        return self.chance("changes").choice(CHANGES)

    @property
    def caller(self) -> str:
        """Who calls: mostly somebody who may."""
        return self.chance("caller").choice((
            *("right",) * 10, "nobody", "doctor", "nurse", "other tenant", "service account",
            "server", "homeless", "garbage", "twice",
        ))  # fmt: skip


class Ground:
    """The world that a search is in now, and words that mean something there."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.words = _words_of(world)

    async def renew(self) -> None:
        """Two new organizations on the same platform, however busy the machine is."""
        for left in reversed(range(PATIENCE)):
            try:
                await self._renew()
                return
            except _UNPREPARED:
                if not left:
                    raise
                await asyncio.sleep(PAUSE_SECONDS)

    async def _renew(self) -> None:
        old = self.world
        alpha, beta = (f"{word}{new_id().hex[-12:]}" for word in ("alpha", "beta"))
        self.world = await prepare(old.platform, old.seam, LACKING, (alpha, beta))
        self.words = _words_of(self.world)

    async def ask(self, case: Case) -> Ask:
        """A right request of the case's method, from a new world when this one is too worn.

        Making one can take several calls, so most cases get one that was sent before.
        """
        for _ in range(PATIENCE):
            try:
                return await self._ask(case)
            except _UNPREPARED:
                await self.renew()
        return await self._ask(case)

    async def _ask(self, case: Case) -> Ask:
        policy, known = case.policy, self.world.unspent
        if policy.method not in known or case.chance("fresh").random() < FRESH:
            made = await right(self.world, policy)
            known[policy.method] = (made.request, made.token)
        return Ask(*known[policy.method])

    def learn(self, case: Case, method: Method, answer: bytes) -> None:
        """Keep names and tokens of an answer, to be said in later calls."""
        own = case.policy.tenancy == "from_token" and not case.policy.public
        if not own or case.caller not in ("right", "doctor", "nurse"):
            return
        found = _words_in(method, answer)
        self.words.names = (self.words.names + found.names[:5])[-KEPT_WORDS:]
        self.words.tokens = (self.words.tokens + found.tokens[:5])[-KEPT_WORDS:]


def tokens_of(world: World, case: Case, token: str) -> tuple[str, ...]:
    """The tokens that a caller shows; `token` is that of who may."""
    own, chance = world.alpha.tokens, case.chance("token")
    made: dict[str, tuple[str, ...]] = {
        "right": (token,) if token else (),
        "nobody": (),
        "doctor": (own["doctor"],),
        "nurse": (own["nurse"],),
        "other tenant": (world.beta.whole,),
        "service account": (chance.choice(list(world.alpha.lacking.values())),),
        "server": (chance.choice((world.server, world.other_server)),),
        "homeless": (world.homeless,),
        "garbage": (f"{CANARY}.{token[:40]}.{CANARY}",),
        "twice": (own["doctor"], own["administrator"]),
    }
    return made[case.caller]


def address_of(case: Case) -> str:
    """An address of the caller's own, so that nobody is taken for one who guesses."""
    chance = case.chance("address")
    return ".".join(str(chance.randrange(1, 255)) for _ in range(4))


def note(world: World, case: Case, said: bytes) -> None:
    """Keep which words of the other organization a call holds, before it is sent."""
    own, other = _sides(world, case)
    own.said |= _held(other, unquote_to_bytes(said))


def leaked(world: World, case: Case, said: bytes, answer: bytes) -> set[str]:
    """Words of the other organization that an answer holds, and that the caller did not say.

    Compliance repeats what was said in any call: the trail tells what was asked for and refused.
    """
    policy, caller = case.policy, case.caller
    if policy.public or policy.tenancy == "cross_tenant" or caller in ("server", "homeless"):
        return set()
    own, other = _sides(world, case)
    known = own.said if policy.service == "compliance" else _held(other, said)
    return _held(other, answer) - known


def _held(other: Side, content: bytes) -> set[str]:
    """Which of an organization's secrets something holds."""
    return {word for word in _secrets_of(other) if word.encode() in content}


def _sides(world: World, case: Case) -> tuple[Side, Side]:
    """The caller's organization and the other."""
    sides = (world.alpha, world.beta)
    return sides[::-1] if case.caller == "other tenant" else sides


def _words_of(world: World) -> Words:
    """What callers name: their own objects, and some of the other organization's."""
    own, other = world.alpha, world.beta
    names = [
        own.patient, own.practitioner, own.unit, own.care_link, own.endpoint, own.message,
        own.encounter, own.account, own.name, other.patient, other.unit, other.endpoint,
        other.account, own.number, own.email("nurse"),
    ]  # fmt: skip
    return Words(names, [own.tokens["nurse"], other.tokens["nurse"], world.revoked])


def _secrets_of(side: Side) -> list[str]:
    """What only an organization's own people may be told, unless they have said it themselves."""
    names = (side.practitioner, side.care_link, side.message, side.encounter, side.name)
    ids = [name.rpartition("/")[2] for name in names]
    return [*ids, side.number, *(side.email(word) for word in side.tokens)]


def _words_in(method: Method, raw: bytes) -> Words:
    """Names and tokens that an answer holds, for later calls."""
    found = Words()
    try:
        _collect(method.response.FromString(raw), found)
    except DecodeError:
        return Words()
    return found


def _collect(message: Message, into: Words) -> None:
    for described, value in message.ListFields():
        for one in value if described.is_repeated else (value,):
            if isinstance(one, Message):
                _collect(one, into)
            elif isinstance(one, str) and described.name == "name":
                into.names.append(one)
            elif isinstance(one, str) and described.name.endswith(("token", "etag")):
                into.tokens.append(one)
