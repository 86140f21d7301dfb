"""A valid request for every method of the contract, against the prepared world.

Each builder makes what its request will use up, so a request can be sent once. A method without
a builder fails the matrix: nobody can forget a new one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TypeVar
from uuid import uuid4

from google.protobuf.message import Message

from core.contract.catalogue import packages
from tests.support.matrix_world import Side


@dataclass(frozen=True)
class Ask:
    """A request, and the token it is sent with where that is not the administrator's."""

    request: Message
    token: str = ""


Builder = Callable[[Side], Awaitable[Message | Ask]]
_B = TypeVar("_B", bound=Builder)
_BUILDERS: dict[str, Builder] = {}


def asks(method: str) -> Callable[[_B], _B]:
    """Declare the builder of a method."""

    def declare(builder: _B) -> _B:
        if method in _BUILDERS:
            raise ValueError(f"two builders for {method}")
        _BUILDERS[method] = builder
        return builder

    return declare


def builders() -> dict[str, Builder]:
    """Every builder, by the name of its method."""
    for package in packages():
        import_module(f"tests.support.matrix_{package.split('.')[1]}")
    import_module("tests.support.matrix_access")
    import_module("tests.support.matrix_account")
    import_module("tests.support.matrix_factors")
    import_module("tests.support.matrix_restrictions")
    import_module("tests.support.matrix_federation")
    return _BUILDERS


async def ask_of(method: str, side: Side) -> Ask:
    """A valid request of a method, for one of the organizations."""
    made = await builders()[method](side)
    return made if isinstance(made, Ask) else Ask(made)


def fresh() -> str:
    """A request_id."""
    return str(uuid4())
