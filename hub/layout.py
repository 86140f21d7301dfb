"""What runs where: the children of `medhub up` as values, and what each is told by environment.

A new part of the platform is a new value here. The supervisor knows none of them by name.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from core.database.provision import Urls, provision, urls_for
from edge import binary
from hub import destroyed_keys
from hub.child import ChildSpec
from hub.data_dir import DataDir
from hub.ports import HOST, Port
from hub.postgres import SUPERUSER, Cluster, embedded_bin, server_account
from hub.readiness import GrpcServing, HttpOk, TcpOpen
from hub.run_file import Running
from hub.secrets import Secrets
from hub.service_secrets import ServiceSecrets
from hub.services import Service

# A PostgreSQL to use instead of the embedded one: the URL of a role that may create roles and
# databases.
POSTGRES_URL = "MEDHUB_POSTGRES_URL"


_LISTENS: Mapping[Service, Port] = {service: Port(service) for service in Service}
_METRICS: Mapping[Service, Port] = {service: Port(f"{service}-metrics") for service in Service}

_LOOPBACK = "IDENTITY_PROVIDER_LOOPBACK"


@dataclass(frozen=True, slots=True)
class Layout:
    """One platform on this machine."""

    data: DataDir
    ports: Mapping[Port, int]
    secrets: Secrets
    debug: bool = False

    @classmethod
    def on(cls, data: DataDir, ports: Mapping[Port, int], *, debug: bool = False) -> "Layout":
        """The platform of a data directory, on these ports."""
        return cls(data, ports, Secrets(data.secrets), debug)

    @classmethod
    def found(cls, data: DataDir) -> "Layout":
        """The platform that has run in a data directory, or runs, on the ports that it had.

        Raises FileNotFoundError where none has.
        """
        ports = json.loads(data.ports.read_text())
        # A part of another version may be among them.
        return cls.on(data, {part: ports[part] for part in Port if part in ports})

    def address(self, part: Port) -> str:
        """`127.0.0.1:18401`."""
        return f"{HOST}:{self.ports[part]}"

    def cluster(self) -> Cluster | None:
        """The embedded PostgreSQL, or None where a URL names another one."""
        if os.environ.get(POSTGRES_URL):
            return None
        return Cluster(
            folder=self.data.postgres,
            port=self.ports[Port.POSTGRES],
            password=self.secrets.text(f"postgres.{SUPERUSER}"),
            bin=embedded_bin(),
            account=server_account(),
        )

    def admin_url(self) -> str:
        """Where roles and databases are made."""
        cluster = self.cluster()
        return cluster.url() if cluster else os.environ[POSTGRES_URL]

    def database(self, service: Service) -> Urls:
        """Where the roles of a service connect."""
        passwords = self.of(service).passwords()
        return urls_for(self.admin_url(), service, passwords, self.database_name(service))

    @staticmethod
    def database_name(service: Service) -> str:
        """What a service's database is called on the server."""
        return f"medhub_{service}"

    def provision(self) -> None:
        """Make the databases and roles that are missing. Raises KeptElsewhere, and makes none."""
        for service in Service:
            self.of(service).check_kept_here(self.admin_url())
        for service in Service:
            provision(self.admin_url(), service, self.of(service).passwords())

    def of(self, account: str) -> ServiceSecrets:
        """The secrets of a service, or of another part that has an account (the gateway)."""
        return ServiceSecrets(account, self.secrets)

    def environment(self, service: Service) -> dict[str, str]:
        """What a server is told. The owner's URL is not part of it: a server never migrates."""
        own, database = self.of(service), self.database(service)
        everyone = {str(each): self.address(port) for each, port in _LISTENS.items()}
        asks = {
            Service.COMPLIANCE: {"SUBJECT_TARGETS": json.dumps(everyone)},
            # For development: `medhub auth outbox` shows what would have been sent, and whoever
            # has an account may found an organization.
            Service.AUTH: {
                # And an identity provider may run on this machine.
                **{
                    name: os.environ.get(f"MEDHUB_AUTH_{name}", usual)
                    for name, usual in (
                        ("MAIL", "outbox"),
                        ("SMS", "outbox"),
                        ("OPEN_FOUNDING", "true"),
                        (_LOOPBACK, "true"),
                    )
                },
                # Passkeys of this machine, used by pages that the edge or a developer serves.
                "PASSKEY_ORIGINS": os.environ.get(
                    "MEDHUB_AUTH_PASSKEY_ORIGINS", f"http://localhost:{self.ports[Port.EDGE]}"
                ),
            },
        }
        return self._prefixed(
            service,
            DATABASE_APP_URL=database.app,
            DATABASE_RELAY_URL=database.relay,
            DATABASE_PAGE_KEY=own.page_key(),
            LISTEN=self.address(_LISTENS[service]),
            METRICS_LISTEN=self.address(_METRICS[service]),
            AUTH_TARGET=self.address(Port.AUTH),
            COMPLIANCE_TARGET=self.address(Port.COMPLIANCE),
            ANALYTICS_TARGET=self.address(Port.ANALYTICS),
            KEYRING_PATH=str(own.keyring()),
            KEYRING_KEY_PATH=str(own.keyring_key()),
            SERVICE_KEY_PATH=str(own.service_key()),
            REFLECTION="open",
            # Nobody takes over from a server here, so nobody is waited for.
            DRAIN_SECONDS="0.2",
            DEBUG=str(self.debug).lower(),
            **asks.get(service, {}),
        )

    def migration(self) -> ChildSpec:
        """Brings all databases to the newest revision; it alone is told the owners' URLs."""
        env: dict[str, str] = {}
        for service in Service:
            env |= self._prefixed(service, DATABASE_OWNER_URL=self.database(service).owner)
        return ChildSpec(
            name="migrate",
            argv=(sys.executable, "-m", "hub", "migrate"),
            env=env,
            ready_within=300.0,
        )

    def destroyed_keys(self) -> tuple[ChildSpec, ...]:
        """Keeps the list of what was destroyed, for backups of the embedded PostgreSQL."""
        cluster = self.cluster()
        if cluster is None:
            return ()
        return (
            ChildSpec(
                name="destroyed-keys",
                argv=(sys.executable, "-m", "hub.destroyed_keys"),
                env={
                    destroyed_keys.URLS: json.dumps(
                        {each: cluster.url(self.database_name(each)) for each in Service}
                    ),
                    destroyed_keys.PATH: str(self.data.destroyed_keys),
                },
            ),
        )

    def enrolment(self) -> ChildSpec:
        """Gives each server its account with auth, before any of them starts."""
        keys = [str(self.of(service).service_key()) for service in Service]
        return ChildSpec(
            name="enrolment",
            argv=(sys.executable, "-m", "hub.enrolment", *keys),
            env=self._prefixed(Service.AUTH, DATABASE_APP_URL=self.database(Service.AUTH).app),
        )

    def seed(self) -> ChildSpec:
        """Loads the demonstration, once the servers serve."""
        return ChildSpec(
            name="demo",
            argv=(sys.executable, "-m", "hub.demo.seed"),
            env={
                "MEDHUB_AUTH_DATABASE_APP_URL": self.database(Service.AUTH).app,
                "MEDHUB_DEMO_CLINICAL_DATABASE_URL": self.database(Service.CLINICAL).app,
                "MEDHUB_DEMO_AUTH_TARGET": self.address(Port.AUTH),
                "MEDHUB_DEMO_CLINICAL_TARGET": self.address(Port.CLINICAL),
                "MEDHUB_DEMO_SECRETS_PATH": str(self.data.secrets),
                "MEDHUB_DEMO_GATEWAY_KEY_PATH": str(self.data.gateway_key),
                "MEDHUB_DEMO_GATEWAY_ENDPOINTS_PATH": str(self.data.gateway),
                "MEDHUB_DEMO_OUT_PATH": str(self.data.demo),
            },
        )

    def server(self, service: Service) -> ChildSpec:
        """A service, ready when the health of the whole server is SERVING."""
        return ChildSpec(
            name=service,
            argv=(sys.executable, "-m", service),
            env=self.environment(service),
            ready=GrpcServing(self.address(_LISTENS[service])),
        )

    def gateway(self) -> ChildSpec:
        """The MLLP gateway: a process of its own, with an account of its own."""
        return ChildSpec(
            name="gateway",
            argv=(sys.executable, "-m", "clinical.gateway"),
            env={
                "MEDHUB_GATEWAY_LISTEN": self.address(Port.MLLP),
                "MEDHUB_GATEWAY_METRICS_LISTEN": self.address(Port.GATEWAY_METRICS),
                "MEDHUB_GATEWAY_AUTH_TARGET": self.address(Port.AUTH),
                "MEDHUB_GATEWAY_CLINICAL_TARGET": self.address(Port.CLINICAL),
                "MEDHUB_GATEWAY_SERVICE_KEY_PATH": str(self.data.gateway_key),
                "MEDHUB_GATEWAY_ENDPOINT_PATH": str(self.data.gateway),
            },
            ready=TcpOpen(HOST, self.ports[Port.MLLP]),
        )

    def edge(self) -> ChildSpec:
        """Writes the folder from which Envoy runs, for these addresses."""
        services = [
            part
            for each in Service
            for part in ("--service", f"{each}={self.address(_LISTENS[each])}")
        ]
        # Envoy's own interface stays closed: whoever reaches it is asked for nothing.
        argv = (sys.executable, "-m", "edge", "write", "--out", str(self.data.edge))
        own = ("--listen", self.address(Port.EDGE), "--loopback-origins")
        return ChildSpec(name="edge", argv=(*argv, *own, *services))

    def envoy(self) -> ChildSpec:
        """The edge: Envoy, from the folder that `edge` has written.

        Hot restart shares memory between the Envoys of a machine by number; there is one here and
        it is restarted when it crashes, so it is off. Two workers serve a small site.
        """
        return ChildSpec(
            name="envoy",
            argv=(
                str(binary.path()), "--config-path", str(self.data.edge / "envoy.yaml"),
                "--disable-hot-restart", "--concurrency", "2", "--log-level", "warning",
            ),
            ready=HttpOk(HOST, self.ports[Port.EDGE], "/health/"),
        )  # fmt: skip

    def servers(self) -> tuple[ChildSpec, ...]:
        """All services. They start together: each serves once it reaches the others."""
        return tuple(self.server(service) for service in Service)

    def fronts(self) -> tuple[ChildSpec, ...]:
        """What stands in front of the servers or beside them, and starts after them.

        The gateway has an account in an organization, which nobody can guess: without its key file
        there is none yet.
        """
        gateway = (self.gateway(),) if self.data.gateway_key.exists() else ()
        return (*gateway, self.envoy(), *self.destroyed_keys())

    def running(self, pid: int) -> Running:
        """The addresses of this platform, without its demo."""
        return Running(
            pid=pid,
            grpc={service: self.address(_LISTENS[service]) for service in Service},
            http=f"http://{self.address(Port.EDGE)}",
            mllp_host=HOST,
            mllp_port=self.ports[Port.MLLP],
        )

    @staticmethod
    def _prefixed(service: Service, **settings: str) -> dict[str, str]:
        return {f"MEDHUB_{service.upper()}_{name}": text for name, text in settings.items()}
