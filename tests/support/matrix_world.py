"""The prepared world of the matrix: two organizations that know nothing of one another.

Each has people of every role (`unlinked` may do everything and is linked to nobody), a patient
whom some are linked to, and one of everything that a name can name. Tokens that cost a password
check are made once; tokens that nobody would issue (expired, of an unknown key) are signed with
auth's own key, taken from its keyring.
"""

import asyncio
import json
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import grpc
from google.protobuf.message import Message

from auth import bootstrap
from auth.background import own_call
from auth.domain.roles import ADMINISTRATOR, BUILT_IN
from core import clock
from core.contract import everything
from core.crypto.keyring import Keyring
from core.crypto.unlocking import KeyFile
from core.ids import id_from, name_of, new_id
from core.truth import Claims, Key
from core.truth.proof import verify
from medhub.auth.v1 import auth_service_pb2 as auth
from medhub.auth.v1 import role_pb2, role_service_pb2, service_account_pb2
from medhub.auth.v1 import service_account_service_pb2 as accounts
from medhub.clinical.v1 import care_link_pb2, hl7_pb2, patient_pb2, practitioner_pb2
from medhub.clinical.v1 import care_link_service_pb2 as links
from medhub.clinical.v1 import hl7_v2_service_pb2 as hl7
from medhub.clinical.v1 import patient_service_pb2 as patients
from medhub.clinical.v1 import practitioner_service_pb2 as practitioners
from medhub.clinical.v1 import record_service_pb2 as records
from tests.support import hl7_messages
from tests.support.matrix_wire import Outcome, Seam, bearer, invoke, server_of, undeclared
from tests.support.platform import PASSWORD, Platform, Tenant
from tests.support.tokens import SigningKey, public_key

ROLES = ("administrator", "doctor", "unlinked", "nurse", "biller", "auditor")
HOSPITAL = "1.2.250.1.999.1"  # who issues the patient numbers of the HL7 messages
LIFE = timedelta(minutes=5)
RENEWED_AFTER = timedelta(minutes=2)  # a test that has begun ends before its tokens do
PAUSES = (0.2, 0.4, 0.8, 1.6)  # seconds, after which a server that was away is asked again


@dataclass
class Side:
    """One organization, prepared. `whole` is its administrator, who holds every permission an
    organization can give and is linked to the patient.
    """

    world: "World"
    tenant: Tenant
    word: str
    tokens: dict[str, str] = field(default_factory=dict)
    lacking: dict[str, str] = field(default_factory=dict)
    patient: str = ""
    number: str = ""
    practitioner: str = ""
    unit: str = ""
    care_link: str = ""
    endpoint: str = ""
    message: str = ""
    unattributed: str = ""
    encounter: str = ""
    account: str = ""
    access_request: str = ""
    erasure_request: str = ""
    restriction: str = ""
    # Which server a request is built for, where every server serves the method.
    server: str = ""
    # Words of another organization that its people have said.
    said: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """The organization's own name."""
        return name_of("organizations", self.tenant.organization)

    @property
    def whole(self) -> str:
        """The token of who may do everything."""
        return self.tokens["administrator"]

    def email(self, word: str) -> str:
        """The address of somebody, by their word."""
        return self.tenant.members[word].email

    def user(self, word: str) -> UUID:
        """The account of somebody, by their word."""
        return self.tenant.members[word].user

    async def do(self, method: str, request: Message, token: str = "") -> Any:
        """Call as the administrator; what is not answered is a fault of the preparation.

        A server that is away for a moment has changed nothing: it is asked again, as it says.
        """
        meta = bearer(token or self.whole)
        outcome = await self.world.invoke(method, request, meta)
        for pause in PAUSES:
            if outcome.code is not grpc.StatusCode.UNAVAILABLE:
                break
            await asyncio.sleep(pause)
            outcome = await self.world.invoke(method, request, meta)
        assert outcome.ok, f"{method}: {outcome}"
        return outcome.response

    async def log_in(self, word: str) -> auth.LoginResponse:
        """A new session of somebody."""
        request = auth.LoginRequest(email=self.email(word), password=PASSWORD)
        made: auth.LoginResponse = await self.world.answered(
            "medhub.auth.v1.AuthService/Login", request
        )
        return made

    async def new_patient(self, *identifiers: patient_pb2.PatientIdentifier) -> patient_pb2.Patient:
        """A patient whom the administrator has taken in."""
        sent = patient_pb2.Patient(
            birth_name=f"MATRIX{secrets.token_hex(3).upper()}",
            sex=patient_pb2.SEX_FEMALE,
            identifiers=identifiers,
        )
        made: patient_pb2.Patient = await self.do(
            "medhub.clinical.v1.PatientService/CreatePatient",
            patients.CreatePatientRequest(patient=sent),
        )
        return made

    async def new_account(self, *roles: str) -> service_account_pb2.ServiceAccount:
        """A service account of the organization."""
        account = service_account_pb2.ServiceAccount(
            display_name="Interface", public_key=public_key(), roles=roles
        )
        made: service_account_pb2.ServiceAccount = await self.do(
            "medhub.auth.v1.ServiceAccountService/CreateServiceAccount",
            accounts.CreateServiceAccountRequest(service_account=account),
        )
        return made


@dataclass
class World:
    """Both organizations, the platform they are on, and tokens of no organization's."""

    platform: Platform
    seam: Seam
    key: SigningKey
    alpha: Side
    beta: Side
    server: str = ""
    other_server: str = ""
    gatherer: str = ""
    homeless: str = ""
    revoked: str = ""
    unspent: dict[str, tuple[Message, str]] = field(default_factory=dict)
    renewed_at: datetime = field(default_factory=clock.now)

    async def invoke(self, method: str, request: Message, metadata: Any = ()) -> Outcome:
        """Call any method with any metadata. How it refuses is what its contract declares."""
        channel = self.platform.channel(server_of(method))
        outcome = await invoke(channel, method, request, metadata)
        declared = everything().methods[f"/{method.partition('@')[0]}"]
        if self.seam.methods[method] == declared:
            assert undeclared(declared, outcome) == []
        return outcome

    async def answered(self, method: str, request: Message) -> Any:
        """Call without a token; anything but an answer is a fault of the preparation."""
        outcome = await self.invoke(method, request)
        assert outcome.ok, f"{method}: {outcome}"
        return outcome.response

    async def log_in_homeless(self) -> str:
        """A token of somebody new who belongs to both organizations and has chosen none."""
        email = f"both{secrets.token_hex(6)}@example.org"
        for side in (self.alpha, self.beta):
            await bootstrap.user(
                self.platform.stores, side.tenant.organization, email, "Both", PASSWORD,
                ["administrator"],
            )  # fmt: skip
        request = auth.LoginRequest(email=email, password=PASSWORD)
        made = await self.answered("medhub.auth.v1.AuthService/Login", request)
        return str(made.access_token)

    async def end_a_session(self) -> None:
        """Keep a token whose session has ended, as every server has heard."""
        self.revoked = (await self.alpha.log_in("administrator")).access_token
        logout = "medhub.auth.v1.AuthService/Logout"
        ended = await self.alpha.do(logout, auth.LogoutRequest(), self.revoked)
        await caught_up(self, ended.auth_revision)

    async def renew(self) -> None:
        """Sign the kept tokens anew once they are old: the matrix takes longer than one lives.

        Another session ends, too: what a token can no longer prove is told to nobody any more.
        """
        if clock.now() - self.renewed_at < RENEWED_AFTER:
            return
        self.renewed_at = clock.now()
        for side in (self.alpha, self.beta):
            side.tokens = {word: self._signed_anew(held) for word, held in side.tokens.items()}
            side.lacking = {word: self._signed_anew(held) for word, held in side.lacking.items()}
        for name in ("server", "other_server", "gatherer", "homeless"):
            setattr(self, name, self._signed_anew(getattr(self, name)))
        await self.end_a_session()
        self.unspent = {
            method: (request, self._signed_anew(token) if token else "")
            for method, (request, token) in self.unspent.items()
        }

    def _signed_anew(self, token: str) -> str:
        now = clock.now().replace(microsecond=0)
        claims = self.claims(token)
        return self.key.token(
            replace(claims, issued_at=now, expires_at=now + LIFE, authenticated_at=now)
        )

    def claims(self, token: str) -> Claims:
        """What a token of this world says."""
        key = Key(self.key.kid, "EdDSA", self.key.public)
        return verify(token, {self.key.kid: key}, clock.now())

    def expired(self, token: str) -> str:
        """The same token, as it was an hour ago."""
        at = clock.now().replace(microsecond=0) - timedelta(hours=1)
        claims = replace(self.claims(token), issued_at=at, expires_at=at + LIFE)
        return self.key.token(claims)

    def long_ago(self, token: str, seconds: float) -> str:
        """The same token, of somebody who has proven themselves so many seconds ago."""
        at = clock.now().replace(microsecond=0) - timedelta(seconds=seconds)
        return self.key.token(replace(self.claims(token), authenticated_at=at))

    def on_behalf(self, token: str, audience: str) -> str:
        """A token by which compliance's server acts for the owner of this one, at another."""
        actor = id_from(_account(self, "compliance"), "serviceAccounts")
        return self.key.token(replace(self.claims(token), actor=actor, audience=audience))

    def signed_by(self, key: SigningKey, token: str) -> str:
        """The same token, signed by another key."""
        return key.token(self.claims(token))

    def service_token(
        self, account: str, organization: UUID | None, revision: int, service: str = ""
    ) -> str:
        """A token of a service account; `service` is the name of a server of the platform."""
        now = clock.now().replace(microsecond=0)
        claims = Claims(
            subject=id_from(account, "serviceAccounts"),
            kind="service",
            revision=revision,
            issued_at=now,
            expires_at=now + LIFE,
            token_id=str(new_id()),
            organization=organization,
            service=service,
            authenticated_at=now,
        )
        return self.key.token(claims)


async def prepare(
    platform: Platform,
    seam: Seam,
    permissions: frozenset[str],
    words: tuple[str, str] = ("alpha", "beta"),
) -> World:
    """Make both organizations; in alpha, for each permission, an account that lacks only it."""
    roles = {word: ["administrator" if word == "unlinked" else word] for word in ROLES}
    tenants = [await platform.tenant(word, roles) for word in words]
    alpha, beta = (
        Side(None, tenant, word)  # type: ignore[arg-type]  # set below: each needs the other
        for tenant, word in zip(tenants, words, strict=True)
    )
    world = World(platform, seam, await _signing_key(platform), alpha, beta)
    for side in (alpha, beta):
        side.world = world
        for word in ROLES:
            side.tokens[word] = (await side.log_in(word)).access_token
        await _furnish(side)
    await _tokens(world)
    await _lack(alpha, permissions)
    return world


async def _signing_key(platform: Platform) -> SigningKey:
    """Auth's own key, as only its keyring can open it."""
    unlock = KeyFile(platform.home / "auth.keyring-key")
    keyring = Keyring.open(platform.home / "auth.keyring", unlock)
    async with platform.stores.begin_as(own_call("Matrix", "auth.tests")) as tx:
        kept = (await tx.keys.verifying(clock.now()))[0]
    return SigningKey(
        kept.kid, keyring.unwrap(kept.wrapped_key, f"medhub/auth/{kept.kid}".encode())
    )


async def _tokens(world: World) -> None:
    """Tokens of a server, of somebody who has not chosen, and of a session that has ended."""
    world.server, world.other_server, world.gatherer = (
        world.service_token(_account(world, service), None, 0, service)
        for service in ("clinical", "auth", "compliance")
    )
    world.homeless = await world.log_in_homeless()
    await world.end_a_session()


def _account(world: World, service: str) -> str:
    """The account of one of the platform's servers."""
    key = json.loads((world.platform.home / f"{service}.service-key.json").read_text())
    return str(key["account"])


async def caught_up(world: World, revision: int) -> None:
    """Return when every server has heard of a revision of auth."""
    async with asyncio.timeout(60):
        for name in world.seam.methods:
            while world.seam.truth(name).state.revision < revision:  # noqa: ASYNC110 - a test
                await asyncio.sleep(0.01)


async def _furnish(side: Side) -> None:
    """One of everything that has a name, all of it about one patient."""
    side.account = (await side.new_account("integration")).name
    side.number = str(100_000 + secrets.randbelow(900_000))
    number = patient_pb2.PatientIdentifier(
        system=HOSPITAL, type=patient_pb2.IDENTIFIER_TYPE_PI, value=side.number
    )
    side.patient = (await side.new_patient(number)).name
    unit = practitioner_pb2.Unit(code="CARDIO", display_name="Cardiologie")
    service = "medhub.clinical.v1.PractitionerService"
    side.unit = (
        await side.do(f"{service}/CreateUnit", practitioners.CreateUnitRequest(unit=unit))
    ).name
    doctor = practitioner_pb2.Practitioner(
        display_name="Dr. House", user=name_of("users", side.user("doctor")), units=[side.unit]
    )
    request = practitioners.CreatePractitionerRequest(practitioner=doctor)
    side.practitioner = (await side.do(f"{service}/CreatePractitioner", request)).name
    link = care_link_pb2.CareLink(
        patient=side.patient,
        practitioner=side.practitioner,
        kind=care_link_pb2.CARE_LINK_KIND_CARE_TEAM,
    )
    made = await side.do(
        "medhub.clinical.v1.CareLinkService/CreateCareLink",
        links.CreateCareLinkRequest(care_link=link),
    )
    side.care_link = made.name
    await _feed(side)


async def _feed(side: Side) -> None:
    """An endpoint, an admission and results of the patient."""
    service = "medhub.clinical.v1.Hl7V2Service"
    endpoint = hl7_pb2.Hl7Endpoint(label="Admissions", ack_point=hl7_pb2.ACK_POINT_PROCESSED)
    made = await side.do(
        f"{service}/CreateEndpoint", hl7.CreateEndpointRequest(hl7_endpoint=endpoint)
    )
    side.endpoint = made.name
    person = replace(hl7_messages.ANNE, identifiers=(hl7_messages.ipp(side.number),))
    for text in (hl7_messages.adt("A01", person), hl7_messages.oru(person=person)):
        request = hl7.IngestMessageRequest(endpoint=side.endpoint, message=text.encode())
        taken = await side.do(f"{service}/IngestMessage", request)
        assert taken.ack_code in ("AA", "CA"), taken
        side.message = taken.message
    stray = hl7.IngestMessageRequest(endpoint=side.endpoint, message=b"no message at all")
    side.unattributed = (await side.do(f"{service}/IngestMessage", stray)).message
    listed = await side.do(
        "medhub.clinical.v1.RecordService/ListEncounters",
        records.ListEncountersRequest(patient=side.patient),
    )
    side.encounter = listed.encounters[0].name


async def _lack(side: Side, permissions: frozenset[str]) -> None:
    """For each permission an account that holds all the others an organization can give."""
    every = BUILT_IN[ADMINISTRATOR]
    revision = 0
    made: dict[str, str] = {}
    for permission in sorted(permissions):
        role = "all_but_" + permission.replace(".", "_")
        await side.do(
            "medhub.auth.v1.RoleService/CreateRole",
            role_service_pb2.CreateRoleRequest(
                role_id=role,
                role=role_pb2.Role(display_name=role, permissions=sorted(every - {permission})),
            ),
        )
        made[permission] = (await side.new_account(role)).name
    question = auth.AuthorizeRequest(resource="clinical.patients", action="read")
    revision = (await side.do("medhub.auth.v1.AuthService/Authorize", question)).auth_revision
    await caught_up(side.world, revision)
    for permission, account in made.items():
        side.lacking[permission] = side.world.service_token(
            account, side.tenant.organization, revision
        )
