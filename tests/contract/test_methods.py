"""Every method of the contract says who may call it, what it does and why it may refuse."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from core.contract import Access, everything
from core.contract.catalogue import image
from core.contract.lock import bindings_of, rows_of, text_of
from core.contract.methods import Method
from medhub.options.v1 import policy_pb2 as options

ROOT = Path(__file__).parents[2]
METHODS = sorted(everything().methods.values(), key=lambda m: m.name)
OURS = [f for f in image().file if f.package.startswith("medhub.")]
# Methods that anybody may call without a token. A new one is a deliberate act.
PUBLIC = {
    "medhub.auth.v1.AccountService/RegisterAccount",
    "medhub.auth.v1.AccountService/RequestPasswordReset",
    "medhub.auth.v1.AccountService/ResendVerification",
    "medhub.auth.v1.AccountService/ResetPassword",
    "medhub.auth.v1.AccountService/VerifyEmail",
    "medhub.auth.v1.AuthService/ActivateAccount",
    "medhub.auth.v1.AuthService/IssueServiceToken",
    "medhub.auth.v1.AuthService/Login",
    "medhub.auth.v1.FederatedLoginService/BeginFederatedLogin",
    "medhub.auth.v1.FederatedLoginService/FinishFederatedLogin",
    "medhub.auth.v1.AuthService/RefreshToken",
    "medhub.auth.v1.AuthService/ValidateToken",
    "medhub.auth.v1.FactorService/BeginChallenge",
    "medhub.auth.v1.FactorService/BeginPasskeyLogin",
    "medhub.auth.v1.FactorService/FinishPasskeyLogin",
    "medhub.auth.v1.FactorService/VerifyChallenge",
    "medhub.auth.v1.KeyService/GetKeySet",
}
_SHARED = "medhub.options.v1"  # where the reasons of all services are declared
# path of a message's or service's location in google.protobuf.SourceCodeInfo
_SERVICE, _METHOD, _MESSAGE, _FIELD, _ENUM, _VALUE = 6, 2, 4, 2, 5, 2


def _comments(file: FileDescriptorProto) -> dict[tuple[int, ...], str]:
    return {
        tuple(place.path): place.leading_comments.strip()
        for place in file.source_code_info.location
    }


def test_the_reviewed_lock_is_what_the_contracts_say() -> None:
    """A change of any policy shows in policy.lock, which people review."""
    assert (ROOT / "policy.lock").read_text() == text_of(everything()), (
        "policies changed: run `medhub policy --lock policy.lock` and review the difference"
    )


def test_only_the_listed_methods_need_no_token() -> None:
    """Nothing else is public."""
    assert {m.name for m in METHODS if m.access is Access.PUBLIC} == PUBLIC


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_a_permission_names_its_own_service(method: Method) -> None:
    """A permission begins with the service whose method asks for it."""
    service = method.name.split(".")[1]

    assert not method.permission or method.permission.split(".")[0] == service


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_an_http_path_begins_with_its_service(method: Method) -> None:
    """The main binding stands under /<service>/v1/."""
    service = method.name.split(".")[1]

    bindings = bindings_of(method)

    exposed = method.policy.exposure == options.EXPOSURE_PUBLIC_API
    assert bool(bindings) == exposed
    assert all(b.split(" ")[1].startswith(f"/{service}/v1/") for b in bindings[:1])


def test_no_two_methods_share_an_http_path() -> None:
    """One verb and path leads to one method."""
    bindings = [b for m in METHODS for b in bindings_of(m)]

    assert len(bindings) == len(set(bindings))


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_every_reason_is_declared_and_told_in_the_comment(method: Method) -> None:
    """The reasons a method names exist, for all or for its service, and stand in its comment."""
    declared = everything().reasons
    file = next(f for f in OURS for s in f.service if f"{f.package}.{s.name}" == method.service)
    at = [s.name for s in file.service].index(method.service.rpartition(".")[2])
    verbs = [m.name for m in file.service[at].method]
    place = (_SERVICE, at, _METHOD, verbs.index(method.name.rpartition("/")[2]))
    comment = _comments(file)[place]

    for reason in method.policy.reasons:
        assert declared[reason].package in {file.package, _SHARED}
        # Alone, or among others: `(A_REASON, ANOTHER)`.
        assert re.search(rf"\([A-Z0-9_,\s/]*\b{reason}\b[A-Z0-9_,\s/]*\)", comment)


def test_every_declared_reason_is_one_that_some_method_refuses_for() -> None:
    """No reason stands in an enum for nothing."""
    contract = everything()
    shared = {n for n, r in contract.reasons.items() if r.package == _SHARED}

    used = {reason for m in METHODS for reason in m.policy.reasons}

    assert set(contract.reasons) - shared == used - shared


def test_everything_has_a_comment() -> None:
    """Services, methods, messages, fields, enums and values say what they are."""
    silent = []
    for file in OURS:
        comments = _comments(file)
        places: dict[tuple[int, ...], str] = {
            **{(_SERVICE, i): s.name for i, s in enumerate(file.service)},
            **{
                (_SERVICE, i, _METHOD, j): m.name
                for i, s in enumerate(file.service)
                for j, m in enumerate(s.method)
            },
            **{(_MESSAGE, i): m.name for i, m in enumerate(file.message_type)},
            **{
                (_MESSAGE, i, _FIELD, j): f"{m.name}.{f.name}"
                for i, m in enumerate(file.message_type)
                for j, f in enumerate(m.field)
            },
            **{(_ENUM, i): e.name for i, e in enumerate(file.enum_type)},
            **{
                (_ENUM, i, _VALUE, j): v.name
                for i, e in enumerate(file.enum_type)
                for j, v in enumerate(e.value)
            },
        }
        silent += [
            f"{file.name}: {name}" for place, name in places.items() if not comments.get(place)
        ]

    assert silent == []


def test_the_rows_of_the_policy_are_json() -> None:
    """`medhub policy --format json` is a list of objects with the names that scripts rely on."""
    rows = json.loads(json.dumps(rows_of(everything())))

    needed = {"method", "access", "tenancy", "link", "exposure", "freshness", "assurance", "audit"}
    assert all(needed <= row.keys() for row in rows)


def _fields(message: Descriptor, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """The names of all fields of a message, those of messages in it too."""
    for field in message.fields:
        yield field.name
        inner = field.message_type
        if inner is not None and inner.full_name not in seen:
            yield from _fields(inner, seen | {message.full_name})


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_nobody_reads_a_password_and_nobody_chooses_anothers(method: Method) -> None:
    """No answer holds one; one is sent by whoever it is of, never by who acts on others."""
    sent = {name for name in _fields(method.request.DESCRIPTOR) if "password" in name}
    shown = {name for name in _fields(method.response.DESCRIPTOR) if "password" in name}

    assert shown == set()
    assert method.access is not Access.REQUIRE or sent == set()
