"""A platform that is started again."""

from pathlib import Path

import pytest

from tests.support.whole import up

pytestmark = pytest.mark.timeout(400)
ADMINISTRATOR = "admin@saint-luc.example"
CHOSEN = "tilleul harfang 8 grue cendree"


def test_a_second_start_keeps_what_people_have_changed(tmp_path: Path) -> None:
    """Also of the demonstration, and though its passwords are written down."""
    with up(tmp_path) as whole:
        token, given = whole.token(ADMINISTRATOR), whole.password(ADMINISTRATOR)
        change = {"current_password": given, "new_password": CHOSEN}
        changed = whole.http("POST", "/auth/v1/account:changePassword", change, token=token)
        first = whole.running.organizations

    with up(tmp_path) as whole:
        body = {"email": ADMINISTRATOR, "password": CHOSEN}
        entered = whole.http("POST", "/auth/login", body)
        again = whole.running.organizations

    assert changed.status == 200, changed.body
    assert entered.status == 200, entered.body
    assert again == first
