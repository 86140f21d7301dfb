"""What happens to an account or a membership and asks for rows that row-level security hides.

An account is in several organizations, and grants about a patient whose data are restricted are
hidden from every ordinary statement, yet have to end with their holder's membership. The
functions run with the owner's rights, and only for the person as whom the transaction acts: nobody
else's memberships can be read or ended by them, and grants of others in the transaction's
organization alone.
Organizations are locked before memberships, as whoever changes a membership does it.
"""

from collections.abc import Iterable
from typing import Final

from auth.domain.roles import ADMINISTRATOR
from core.database.capture import REFUSED, roles_of

_ALONE: Final = f"""
CREATE OR REPLACE FUNCTION medhub.administered_alone(person uuid) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF person IS DISTINCT FROM NULLIF(current_setting('medhub.subject', true), '')::uuid THEN
        RAISE EXCEPTION 'only about whoever acts' USING ERRCODE = '{REFUSED}';
    END IF;
    PERFORM 1 FROM public.organization o WHERE o.id IN (
        SELECT m.organization_id FROM public.membership m
        WHERE m.user_id = person AND m.roles @> ARRAY['{ADMINISTRATOR}'])
    ORDER BY o.id FOR NO KEY UPDATE;
    RETURN QUERY SELECT m.organization_id FROM public.membership m
    WHERE m.user_id = person AND m.suspended_at IS NULL AND m.roles @> ARRAY['{ADMINISTRATOR}']
        AND NOT EXISTS (
            SELECT 1 FROM public.membership n JOIN public.app_user u ON u.id = n.user_id
            WHERE n.organization_id = m.organization_id AND n.id <> m.id
                AND n.suspended_at IS NULL AND n.roles @> ARRAY['{ADMINISTRATOR}']
                AND u.disabled_at IS NULL);
END $$
"""  # noqa: S608 - built from our own declarations

_LEAVE: Final = f"""
CREATE OR REPLACE FUNCTION medhub.leave_everywhere(person uuid) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place record;
BEGIN
    IF person IS DISTINCT FROM NULLIF(current_setting('medhub.subject', true), '')::uuid THEN
        RAISE EXCEPTION 'only about whoever acts' USING ERRCODE = '{REFUSED}';
    END IF;
    FOR place IN
        SELECT m.organization_id, m.id FROM public.membership m WHERE m.user_id = person
        ORDER BY m.organization_id FOR UPDATE
    LOOP
        DELETE FROM public.activation
        WHERE organization_id = place.organization_id AND membership_id = place.id;
        DELETE FROM public.membership
        WHERE organization_id = place.organization_id AND id = place.id;
        RETURN NEXT place.organization_id;
    END LOOP;
END $$
"""  # noqa: S608 - built from our own declarations

_END_GRANTS: Final = f"""
CREATE OR REPLACE FUNCTION medhub.end_grants(person uuid, place uuid, ended_at timestamptz)
RETURNS SETOF public.access_grant
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF person IS DISTINCT FROM NULLIF(current_setting('medhub.subject', true), '')::uuid
        AND place IS DISTINCT FROM NULLIF(current_setting('medhub.organization', true), '')::uuid
    THEN
        RAISE EXCEPTION 'only about whoever acts' USING ERRCODE = '{REFUSED}';
    END IF;
    RETURN QUERY UPDATE public.access_grant g SET revoked_at = ended_at, revision = g.revision + 1
    WHERE g.organization_id = place AND g.user_id = person
        AND g.revoked_at IS NULL AND g.ends_at > ended_at
    RETURNING g.*;
END $$
"""  # noqa: S608 - built from our own declarations

# A member has one membership: an invitation to what is their address from now on leads nowhere.
_FOLLOW: Final = f"""
CREATE OR REPLACE FUNCTION medhub.follow_address(
    person uuid, address text, address_key text, changed_at timestamptz)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place record;
BEGIN
    IF person IS DISTINCT FROM NULLIF(current_setting('medhub.subject', true), '')::uuid THEN
        RAISE EXCEPTION 'only about whoever acts' USING ERRCODE = '{REFUSED}';
    END IF;
    FOR place IN
        SELECT m.organization_id, m.id FROM public.membership m WHERE m.user_id = person
        ORDER BY m.organization_id FOR UPDATE
    LOOP
        PERFORM 1 FROM public.membership m
        WHERE m.organization_id = place.organization_id AND m.email_key = address_key
        FOR UPDATE;
        DELETE FROM public.activation a USING public.membership m
        WHERE m.organization_id = place.organization_id AND m.email_key = address_key
            AND m.user_id IS NULL
            AND a.organization_id = m.organization_id AND a.membership_id = m.id;
        DELETE FROM public.membership m
        WHERE m.organization_id = place.organization_id AND m.email_key = address_key
            AND m.user_id IS NULL;
        UPDATE public.membership SET email = address, email_key = address_key,
            updated_at = changed_at, revision = revision + 1
        WHERE organization_id = place.organization_id AND id = place.id;
    END LOOP;
END $$
"""  # noqa: S608 - built from our own declarations


def closing_sql() -> list[str]:
    """What ends accounts, and who may call it; each statement can be repeated."""
    functions = ("administered_alone(uuid)", "leave_everywhere(uuid)")
    return [_ALONE, _LEAVE, *_rights(functions)]


def end_grants_sql() -> list[str]:
    """What ends grants, likewise; it needs their table."""
    return [_END_GRANTS, *_rights(("end_grants(uuid, uuid, timestamptz)",))]


def follow_address_sql() -> list[str]:
    """What has memberships show the address of their account; likewise."""
    return [_FOLLOW, *_rights(("follow_address(uuid, text, text, timestamptz)",))]


def _rights(functions: Iterable[str]) -> list[str]:
    app = roles_of("auth").app
    return [
        f"{verb} ON FUNCTION medhub.{function} {to}"
        for function in functions
        for verb, to in (("REVOKE ALL", "FROM PUBLIC"), ("GRANT EXECUTE", f"TO {app}"))
    ]
