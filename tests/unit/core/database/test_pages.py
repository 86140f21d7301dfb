"""Page tokens: what was sealed for a listing is opened for it, and for nothing else."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from hypothesis import given
from hypothesis import strategies as st

from core import identity
from core.database.pages import (
    DEFAULT_SIZE,
    LARGEST_SIZE,
    PAGE_BYTES,
    Key,
    Listing,
    PageTokens,
    page_of,
    page_shown,
    page_size,
)
from core.errors import InvalidField, InvalidPageToken
from core.ids import new_id

TENANT = UUID(int=1)
TOKENS = PageTokens(bytes(32))
LISTING = Listing(method="medhub.ward.v1.PatientService/ListPatients", filter="a", order="name")

values = st.one_of(
    st.uuids(),
    st.text(max_size=300),
    st.integers(),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
)
keys = st.lists(values, min_size=1, max_size=4).map(tuple)


@pytest.fixture(autouse=True)
def caller() -> None:
    """A call of one tenant."""
    enter(TENANT)


def enter(organization: UUID | None) -> None:
    caller = identity.Caller(kind=identity.Kind.USER, organization=organization)
    identity.enter(identity.Call(method=LISTING.method, caller=caller))


@given(keys)
def test_a_key_survives_its_token(key: Key) -> None:
    """Whatever the sort key's values, the token gives them back with their types."""
    opened = TOKENS.open(TOKENS.seal(key, LISTING), LISTING)

    assert opened == key
    assert [type(value) for value in opened] == [type(value) for value in key]


@given(keys, st.data())
def test_a_changed_token_is_refused(key: Key, data: st.DataObject) -> None:
    """Any other character anywhere makes the token invalid."""
    token = TOKENS.seal(key, LISTING)
    position = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c != token[position]))

    with pytest.raises(InvalidPageToken):
        TOKENS.open(token[:position] + other + token[position + 1 :], LISTING)


@given(st.text(min_size=1))
def test_an_invented_token_is_refused(token: str) -> None:
    """Text that was never a token is refused, whatever it looks like."""
    with pytest.raises(InvalidPageToken):
        TOKENS.open(token, LISTING)


@pytest.mark.parametrize("cut", range(0, 60, 7))
def test_a_shortened_token_is_refused(cut: int) -> None:
    """A token that lost its end is refused, however much is left."""
    token = TOKENS.seal((new_id(),), LISTING)

    with pytest.raises(InvalidPageToken):
        TOKENS.open(token[: cut + 1], LISTING)


@pytest.mark.parametrize(
    "other",
    [
        Listing(method="other", filter="a", order="name"),
        Listing(method=LISTING.method, filter="b", order="name"),
        Listing(method=LISTING.method, filter="a", order="id"),
        Listing(method=LISTING.method, filter="an", order="ame"),
    ],
)
def test_a_token_of_another_listing_is_refused(other: Listing) -> None:
    """Method, filter and order belong to the token."""
    token = TOKENS.seal(("Curie", new_id()), LISTING)

    with pytest.raises(InvalidPageToken):
        TOKENS.open(token, other)


def test_a_token_of_another_tenant_is_refused() -> None:
    """A token cannot be carried over to another organization."""
    token = TOKENS.seal(("Curie",), LISTING)

    enter(UUID(int=2))

    with pytest.raises(InvalidPageToken):
        TOKENS.open(token, LISTING)


def test_a_token_under_another_key_is_refused() -> None:
    """Only who has the key makes tokens."""
    token = PageTokens(bytes([1]) * 32).seal(("Curie",), LISTING)

    with pytest.raises(InvalidPageToken):
        TOKENS.open(token, LISTING)


def test_a_token_shows_no_name() -> None:
    """The sort key cannot be read from the token, which may stand in an address."""
    first, second = (TOKENS.seal(("Curie",), LISTING) for _ in range(2))

    assert first != second
    assert "Q3VyaW" not in first


def test_no_token_is_the_first_page() -> None:
    """An empty token opens to an empty key."""
    assert TOKENS.open("", LISTING) == ()


@pytest.mark.parametrize(
    ("asked", "given"), [(0, DEFAULT_SIZE), (1, 1), (LARGEST_SIZE + 1, LARGEST_SIZE)]
)
def test_page_sizes_are_capped(asked: int, given: int) -> None:
    """Nothing asked gives the default, too much gives the largest."""
    assert page_size(asked) == given


def test_a_negative_page_size_is_refused() -> None:
    """A page of minus one row is a mistake of the caller's."""
    with pytest.raises(InvalidField):
        page_size(-1)


@given(st.integers(0, 30), st.integers(1, 10))
def test_pages_show_every_row_once(rows: int, size: int) -> None:
    """Following the tokens to the end yields all rows in order, none twice."""
    everything = [(date(2026, 1, 1), n) for n in range(rows)]
    shown: list[tuple[date, int]] = []
    token = ""
    for _ in range(rows + 1):
        key = TOKENS.open(token, LISTING)
        behind = [row for row in everything if not key or row > key]
        page = page_of(behind[: size + 1], size, LISTING, TOKENS, key=lambda row: row)
        shown += page.items
        token = page.next_page_token
        if not token:
            break

    assert shown == everything
    assert token == ""


def test_a_page_of_large_rows_ends_early() -> None:
    """Rows are shown up to the bytes of a page, whichever is first: and all of them in the end."""
    large = PAGE_BYTES // 3
    sizes = [large, large, large, 5, PAGE_BYTES + 1, 7, PAGE_BYTES + 1]
    rows = [((number,), size) for number, size in enumerate(sizes)]
    pages: list[list[int]] = []
    token = ""
    while not pages or token:
        key = TOKENS.open(token, LISTING)
        behind = [row for row in rows if not key or row[0] > key]
        page = page_shown(
            behind[:5], 4, LISTING, TOKENS, key=lambda row: row[0], show=lambda row: _of(row[1])
        )
        pages.append([len(shown.value) for shown in page.items])
        token = page.next_page_token

    assert pages == [[large, large], [large, 5], [PAGE_BYTES + 1], [7], [PAGE_BYTES + 1]]


def _of(size: int) -> StringValue:
    return StringValue(value="x" * size)


def test_times_keep_their_moment() -> None:
    """A moment comes back as the same moment, to the microsecond."""
    at = datetime(2026, 11, 23, 18, 0, 0, 1, tzinfo=UTC)

    assert TOKENS.open(TOKENS.seal((at,), LISTING), LISTING) == (at,)
