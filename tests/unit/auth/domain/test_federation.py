"""What an identity provider may say, and what that gives."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.domain.federation import (
    GroupRole,
    Identity,
    address_of,
    allowed_issuer,
    allowed_peer,
    check_claims,
    identity_from,
    proven_level,
    roles_after,
)
from auth.domain.refusals import FederationRefused
from tests.support.directory import DIRECTORY

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
AT = int(NOW.timestamp())
PROVIDER = replace(
    DIRECTORY,
    groups_claim="groups",
    group_roles=(GroupRole("ward", "nurse"), GroupRole("chiefs", "doctor")),
)
CLAIMS: dict[str, Any] = {
    "iss": "https://id.example",
    "aud": "medhub",
    "nonce": "n",
    "exp": AT + 60,
    "iat": AT,
    "sub": "u-1",
}


def person(**claims: Any) -> Identity:
    """Whom the provider speaks of."""
    return identity_from(PROVIDER, {**CLAIMS, **claims})


def check(claims: dict[str, Any]) -> None:
    """Hold claims against the attempt."""
    check_claims(claims, issuer=PROVIDER.issuer, client="medhub", nonce="n", at=NOW)


@pytest.mark.parametrize(
    "claims",
    [
        CLAIMS,
        {**CLAIMS, "aud": ["medhub"]},
        {**CLAIMS, "aud": ["medhub", "other"], "azp": "medhub"},
        {**CLAIMS, "exp": AT - 10},
        {**CLAIMS, "iat": AT + 10},
    ],
)
def test_a_token_for_this_attempt_holds(claims: dict[str, Any]) -> None:
    """Issuer, audience, nonce and times are as the standard asks, with half a minute of skew."""
    check(claims)


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://id.example/"},
        {"iss": None},
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": ["medhub", "other"]},
        {"aud": ["medhub"], "azp": "other"},
        {"aud": 7},
        {"nonce": "m"},
        {"nonce": None},
        {"exp": AT - 31},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": None},
        {"iat": AT + 31},
        {"iat": None},
    ],
)
def test_any_other_token_is_refused(changed: dict[str, Any]) -> None:
    """One wrong or missing claim is enough."""
    with pytest.raises(FederationRefused):
        check({**CLAIMS, **changed})


@pytest.mark.parametrize("subject", [None, "", "x" * 256, "é", "a\x00b", 5, ["u"]])
def test_a_subject_is_a_short_text_of_ascii(subject: object) -> None:
    """OpenID Connect Core 2: at most 255 ASCII characters."""
    with pytest.raises(FederationRefused):
        person(sub=subject)


def test_an_address_counts_when_somebody_vouches_for_it() -> None:
    """The provider says that it verified it, or the organization says that it always does."""
    said, unsaid = person(email="a@b.example", email_verified=True), person(email="a@b.example")
    trusting = replace(PROVIDER, trusts_email=True)

    assert address_of(PROVIDER, said) == "a@b.example"
    assert address_of(PROVIDER, unsaid) is None
    assert address_of(PROVIDER, person(email="a@b.example", email_verified="true")) is None
    assert address_of(trusting, unsaid) == "a@b.example"
    assert address_of(trusting, person(email="no address")) is None


def test_several_factors_count_where_the_organization_trusts_them() -> None:
    """`mfa` raises the level only when it is said and trusted."""
    trusting = replace(PROVIDER, trusts_mfa=True)

    assert proven_level(PROVIDER, person(amr=["mfa"])) == 1
    assert proven_level(trusting, person(amr=["pwd"])) == 1
    assert proven_level(trusting, person(amr=["pwd", "mfa"])) == 2


def test_roles_of_groups_follow_the_groups() -> None:
    """Others stay as the organization gave them."""
    held = ("auditor", "doctor")

    assert roles_after(PROVIDER, person(groups=["ward"]), held) == ("auditor", "nurse")
    assert roles_after(PROVIDER, person(), held) == ("auditor",)
    assert roles_after(replace(PROVIDER, groups_claim=""), person(), held) == held


@given(
    groups=st.lists(st.sampled_from(["ward", "chiefs", "else"])),
    held=st.lists(st.sampled_from(["nurse", "doctor", "auditor", "biller"]), unique=True),
)
def test_a_sign_in_gives_no_role_that_no_group_gives(groups: list[str], held: list[str]) -> None:
    """What is new comes from a group; what has gone was a group's to take."""
    after = set(roles_after(PROVIDER, person(groups=groups), held))

    given_by = {each.role for each in PROVIDER.group_roles if each.group in groups}
    assert after - set(held) <= given_by
    assert set(held) - after <= {"nurse", "doctor"} - given_by


@pytest.mark.parametrize(
    ("issuer", "allowed"),
    [
        ("https://id.example", True),
        ("https://id.example:8443/realms/x", True),
        ("http://id.example", False),
        ("https://127.0.0.1", False),
        ("http://localhost:8080", False),
        ("https://169.254.169.254", False),
        ("https://2852039166", False),
        ("https://id.hospital.internal/realms/1.0", True),
        ("https://keycloak:8443", True),
        ("https://1dp.hospital.example", True),
        ("https://0xcafe.example", True),
        ("HTTPS://ID.EXAMPLE:65535", True),
        ("https://u@id.example", False),
        ("https://id.example?x=1", False),
        ("ftp://id.example", False),
        ("", False),
    ],
)
def test_auth_speaks_to_providers_by_https_and_by_name(issuer: str, *, allowed: bool) -> None:
    """No clear text, no address in numbers, nothing of this machine."""
    assert allowed_issuer(issuer, frozenset(), loopback=False) is allowed


@pytest.mark.parametrize("loopback", [False, True])
@pytest.mark.parametrize(
    "host",
    [
        "0xa9fea9fe",
        "0XA9FEA9FE",
        "0x0a000001",
        "0x7f.1",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "2130706433",
        "127.1",
        "127.0.0.1.",
        "localhost.",
        "169.254.169.254.",
        "0",
        "0x",
        "0.0.0.0",  # noqa: S104 - nothing listens there
        "a.0x7f000001",
        "127.0.0.1.0x1",
        "id.example.",
        "id..example",
        "[::]",
        "[::ffff:169.254.169.254]",
        "[fe80::1]",
        "[fe80::1%25eth0]",
        "[2001:db8::1]",
        "[v1.a]",
        "[::1",
        "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
        "\u24dbocalhost",
        "id.exa mple",
        "id.exam\tple",
        "id.example\\.evil.example",
        "id%2eexample",
        "id.example:99999",
        "id.example:65536",
        "id.example:0",
        "id.example:https",
        ":pw@id.example",
        "@id.example",
    ],
)
def test_no_number_passes_for_a_name(host: str, *, loopback: bool) -> None:
    """However it is written: a resolver would make this machine, or the metadata's, of it."""
    assert not allowed_issuer(f"https://{host}", frozenset(), loopback=loopback)
    assert not allowed_issuer(f"https://{host}/realms/x", frozenset(), loopback=loopback)


@given(number=st.integers(0, 2**32 - 1), form=st.sampled_from(["{}", "{:#x}", "0{:o}", "{:#X}"]))
def test_no_address_of_four_bytes_is_a_name(number: int, form: str) -> None:
    """Whole, or its last part, in every base that a resolver reads."""
    for text in (form.format(number), f"10.{form.format(number & 0xFFFFFF)}"):
        assert not allowed_issuer(f"https://{text}", frozenset(), loopback=False)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://localhost:8080", True),
        ("http://id.localhost:8080", True),
        ("http://127.0.0.2", True),
        ("http://[::1]:8080", True),
        ("ftp://localhost", False),
        ("http://127.evil.example", False),
        ("http://id.example", False),
    ],
)
def test_the_operator_may_allow_this_machine(url: str, *, allowed: bool) -> None:
    """For development: by http too, and nobody else by it."""
    assert allowed_issuer(url, frozenset(), loopback=True) is allowed
    assert not allowed_issuer(url, frozenset(), loopback=False)


@pytest.mark.parametrize("address", ["10.1.2.3", "192.168.0.9", "fd00::7", "::ffff:10.0.0.1"])
def test_a_name_may_lead_to_a_private_network(address: str) -> None:
    """There hospitals keep their providers."""
    assert allowed_peer(address, loopback=False)
    assert allowed_peer("203.0.113.5", loopback=False)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_a_name_leads_to_this_machine_where_the_operator_says_so(address: str) -> None:
    """Its own services believe whoever calls from here."""
    assert not allowed_peer(address, loopback=False)
    assert allowed_peer(address, loopback=True)


@pytest.mark.parametrize("loopback", [False, True])
@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "fe80::1",
        "fe80::1%eth0",
        "0.0.0.0",  # noqa: S104 - nothing listens there
        "::",
        "::ffff:0.0.0.0",
        "224.0.0.1",
        "ff02::1",
    ],
)
def test_a_name_leads_to_nobody_on_the_link(address: str, *, loopback: bool) -> None:
    """Metadata services, neighbours, everybody at once."""
    assert not allowed_peer(address, loopback=loopback)


def test_the_operator_may_name_the_hosts() -> None:
    """Then no other is spoken to; this machine only where that is said."""
    hosts = frozenset({"id.example"})

    assert allowed_issuer("https://ID.example/x", hosts, loopback=False)
    assert not allowed_issuer("https://id.example.evil.example", hosts, loopback=False)
    assert allowed_issuer("http://127.0.0.1:8080", hosts, loopback=True)
