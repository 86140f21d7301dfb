"""What a transaction tells PostgreSQL about its call."""

import json

from core.database.context import encode_context
from core.identity import Call, Caller, Kind
from core.ids import new_id


def test_the_context_is_json_that_says_who_acts_and_why() -> None:
    """Whatever a name or an address may hold, and null where there is nobody."""
    subject, session = new_id(), new_id()
    caller = Caller(kind=Kind.USER, subject=subject, session=session, degraded=True)
    call = Call('m"\\\n', caller, purpose="care", trace_id="0f", peer="\u00e9\x01")

    told = json.loads(encode_context(call))

    assert told == {
        "actor": str(subject), "actor_kind": "user", "session": str(session), "method": 'm"\\\n',
        "action": 'm"\\\n', "purpose": "care", "trace": "0f", "peer": "\u00e9\x01",
        "on_behalf": None, "auth_degraded": True,
    }  # fmt: skip
