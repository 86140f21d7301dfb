"""What is no connection string is refused before it is used, and shown to nobody."""

import pytest
from pydantic import ValidationError

from core.database import DatabaseSettings

PAGE_KEY = bytes(32)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p%40ss@db.example.org:5432/x?sslmode=verify-full",
        "postgresql://u:p@/x?host=/var/run/postgresql",
        "host=a,b port=1,2 user=u password='p @ss' dbname=x",
        "host=@abstract user=u dbname=x",
        "postgresql://u@[::1]:5432/x",
    ],
)
def test_a_connection_string_is_taken_as_it_stands(url: str) -> None:
    """As a URI, or as keywords; with several hosts, or a socket."""
    settings = DatabaseSettings.model_validate({"app_url": url, "page_key": PAGE_KEY})

    assert settings.app_url.get_secret_value() == url


@pytest.mark.parametrize("field", ["app_url", "relay_url", "owner_url"])
@pytest.mark.parametrize(
    "url",
    [
        "",
        "canary",
        "postgresql://u:can ary@h/x",
        "postgresql://u:x@canary@h/x",
        "postgresql://u:x@canary:1@h/x",
        "postgresql://u:canary/x@h/x",
        "host=h port=99999 password=canary",
    ],
)
def test_a_password_with_signs_of_its_own_makes_no_address(field: str, url: str) -> None:
    """libpq would quote the part that it took for a host or a port."""
    given = {"app_url": "host=h", "page_key": PAGE_KEY, field: url}

    with pytest.raises(ValidationError) as refused:
        DatabaseSettings.model_validate(given)

    assert "no connection string" in str(refused.value)
    assert "canary" not in str(refused.value)
    assert "can ary" not in str(refused.value)
