"""`python -m auth bootstrap …` and `python -m auth operate …`: what only an operator may do."""

import asyncio
import getpass
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

from auth import bootstrap, operation
from auth.domain.assertions import COLLECTION
from auth.formats import key_files
from auth.outbox import outbox_text
from auth.posting import Post
from auth.settings import CommandSettings, KeyringSettings
from auth.signing import Signer, rotate
from auth.storage.store import Store
from core.crypto.keyring import Keyring, KeyringUnusable
from core.database import Database
from core.errors import InvalidName, Refusal
from core.ids import id_from, name_of

_ORGANIZATIONS = "organizations"


def run(arguments: list[str]) -> int:
    """Run one command; its exit code. What it made is printed; secrets never are."""
    parsed = _parser().parse_args(arguments)
    try:
        asyncio.run(_with_store(parsed.work, parsed))
    except Refusal as refused:
        return _refuse(_told(refused))
    except (ValueError, OSError, key_files.KeyFileUnusable, KeyringUnusable) as refused:
        return _refuse(str(refused))
    return 0


def _refuse(why: str) -> int:
    print(f"refused: {why}", file=sys.stderr)
    return 1


def _told(refused: Refusal) -> str:
    """The reason, and what it is about: each field with what belongs there."""
    about = [f"{key}: {value}" for key, value in refused.metadata.items()]
    about += [f"{each.field}: {each.description or each.rule}" for each in refused.violations]
    return f"{refused.reason} ({'; '.join(about)})" if about else refused.reason


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m auth")
    commands = parser.add_subparsers(required=True)
    _add_bootstrap(commands.add_parser("bootstrap", help="make the first rows; may be repeated"))
    _add_operation(commands.add_parser("operate", help="shut out, let in, rotate keys"))
    return parser


def _add_bootstrap(parser: ArgumentParser) -> None:
    kinds = parser.add_subparsers(required=True)
    first = kinds.add_parser("organization", help="an organization and its administrator")
    first.add_argument("--display-name", required=True)
    first.add_argument("--test", action="store_true", help="it holds test identities only")
    _add_administrator(first)
    first.set_defaults(work=_organization)
    appointed = kinds.add_parser("administrator", help="of an organization that has none left")
    appointed.add_argument("organization", help="organizations/{uuid}")
    _add_administrator(appointed)
    appointed.set_defaults(work=_administrator)
    account = kinds.add_parser("service-account", help="the account that a key file proves")
    account.add_argument("--key", type=Path, required=True, help="made when there is none")
    account.add_argument("--role", action="append", required=True, dest="roles")
    account.add_argument("--organization", help="organizations/{uuid}; none: of the platform")
    account.add_argument(
        "--display-name",
        help="a server's own: clinical, …; else the name of the key file, to its dot",
    )
    account.set_defaults(work=_service_account)


def _add_administrator(parser: ArgumentParser) -> None:
    parser.add_argument("--admin-email", required=True)
    parser.add_argument("--admin-name", required=True)
    parser.add_argument("--password-file", type=Path, help="else it is read from standard input")


def _add_operation(parser: ArgumentParser) -> None:
    kinds = parser.add_subparsers(required=True)
    keys = kinds.add_parser("rotate-keys", help="publish a new signing key, retire the others")
    keys.set_defaults(work=_rotate)
    compromised = kinds.add_parser("revoke-key", help="let a key verify nothing any more")
    compromised.add_argument("kid", help="as the keys of the edge name it")
    compromised.set_defaults(work=_revoke_key)
    everything = kinds.add_parser("end-everything", help="log everybody out, everywhere")
    everything.set_defaults(work=_end_everything)
    history = kinds.add_parser(
        "begin-history", help="have every server take the state anew, after a restore"
    )
    history.set_defaults(work=_begin_history)
    for name, work in (
        ("suspend-organization", _suspend),
        ("reactivate-organization", _reactivate),
    ):
        command = kinds.add_parser(name)
        command.add_argument("organization", help="organizations/{uuid}")
        command.set_defaults(work=work)
    server = kinds.add_parser("disable-server", help="shut a server's account out, for good")
    server.add_argument("account", help="serviceAccounts/{uuid}")
    server.set_defaults(work=_disable_server)
    release = kinds.add_parser(
        "release-address", help="free an address of which somebody else made an account"
    )
    release.add_argument("email")
    release.set_defaults(work=_release)
    for name, work, said in (
        ("disable-account", _disable, "in all organizations"),
        (
            "lock-account",
            _disable,
            "shut an account out of all organizations, until it is unlocked",
        ),
        ("unlock-account", _unlock, "let an account in again, and forget who guessed at it"),
        ("end-sessions", _end_sessions, "log a person out everywhere"),
    ):
        account = kinds.add_parser(name, help=said)
        account.add_argument("email")
        account.set_defaults(work=work)
    outbox = kinds.add_parser("outbox", help="messages that have not left, the newest last")
    outbox.set_defaults(work=_outbox)


async def _with_store(work: Callable[[Store, Namespace], Awaitable[str]], given: Namespace) -> None:
    database = Database(CommandSettings.read().database())
    await database.open()
    try:
        print(await work(Store(database), given))
    finally:
        await database.close()


async def _organization(store: Store, given: Namespace) -> str:
    made = await bootstrap.first_organization(
        store,
        given.display_name,
        given.admin_email,
        given.admin_name,
        await _password_of_administrator(given),
        test=given.test,
    )
    if not await bootstrap.administered(store, made):
        # The name alone is printed to the standard output: scripts read it.
        print(_left_alone(made), file=sys.stderr)
    return name_of(_ORGANIZATIONS, made)


async def _administrator(store: Store, given: Namespace) -> str:
    appointed = await bootstrap.administrator(
        store,
        _organization_of(given),
        given.admin_email,
        given.admin_name,
        await _password_of_administrator(given),
    )
    return name_of("users", appointed)


async def _password_of_administrator(given: Namespace) -> str:
    password = await asyncio.to_thread(_password, given.password_file)
    if not password:
        raise ValueError(
            "the administrator's password is missing: give it on standard input, or name a file"
            " that holds it with --password-file"
        )
    return password


def _left_alone(organization: UUID) -> str:
    name = name_of(_ORGANIZATIONS, organization)
    return (
        f"{name} has no administrator; appoint one with: medhub auth appoint-administrator {name}"
        " --admin-email … --admin-name …"
    )


async def _service_account(store: Store, given: Namespace) -> str:
    within = _organization_of(given) if given.organization else None
    display_name = given.display_name or given.key.name.split(".")[0]
    # Before the key: what is refused leaves no file behind.
    await bootstrap.check_service_account(store, within, display_name, given.roles)
    key = await asyncio.to_thread(key_files.read_or_create, given.key)
    account = await bootstrap.service_account(
        store, within, display_name, key.public_key, given.roles
    )
    name = name_of(COLLECTION, account)
    if key.account != name:
        await asyncio.to_thread(key_files.write, given.key, key.of(name))
    return name


async def _rotate(store: Store, _given: Namespace) -> str:
    return await rotate(store, _keyring())


def _keyring() -> Keyring:
    """The server's own. Raises CannotStart, which ends the process, and KeyringUnusable."""
    return KeyringSettings.read().open()


async def _revoke_key(store: Store, given: Namespace) -> str:
    return _revision(await operation.revoke_key(store, _keyring(), given.kid))


async def _end_everything(store: Store, _given: Namespace) -> str:
    return _revision(await operation.end_everything(store))


async def _begin_history(store: Store, _given: Namespace) -> str:
    return _revision(await operation.begin_history(store))


async def _suspend(store: Store, given: Namespace) -> str:
    return _revision(await operation.suspend_organization(store, _organization_of(given)))


async def _reactivate(store: Store, given: Namespace) -> str:
    return _revision(await operation.reactivate_organization(store, _organization_of(given)))


async def _disable_server(store: Store, given: Namespace) -> str:
    account = _id(given.account, COLLECTION)
    return _revision(await operation.disable_server(store, account))


async def _disable(store: Store, given: Namespace) -> str:
    return _revision(await operation.disable_account(store, given.email))


async def _unlock(store: Store, given: Namespace) -> str:
    await operation.unlock_account(store, Signer(_keyring()), given.email)
    return "the account can log in"


async def _end_sessions(store: Store, given: Namespace) -> str:
    return _revision(await operation.end_sessions(store, given.email))


async def _outbox(store: Store, _given: Namespace) -> str:
    return await outbox_text(store, Post(_keyring()))


async def _release(store: Store, given: Namespace) -> str:
    released = await operation.release_address(store, given.email)
    return "\n".join([_revision(released.revision), *map(_left_alone, released.left_alone)])


def _organization_of(given: Namespace) -> UUID:
    return _id(given.organization, _ORGANIZATIONS)


def _id(name: str, collection: str) -> UUID:
    """The id in a name. Raises ValueError, which says how such a name looks."""
    try:
        return id_from(name, collection)
    except InvalidName:
        raise ValueError(f"{name} is no name of the form {collection}/{{uuid}}") from None


def _revision(revision: int) -> str:
    return f"holds from revision {revision} of the auth state"


def _password(file: Path | None) -> str:
    """From a file, a terminal or a pipe; never from an argument, which every process can read."""
    if file is not None:
        return file.read_text("utf-8").removesuffix("\n")
    if sys.stdin.isatty():
        return getpass.getpass("Password: ")
    return sys.stdin.readline().removesuffix("\n")
