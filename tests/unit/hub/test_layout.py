"""What runs where."""

import json
import os
from pathlib import Path

import pytest

from core.crypto.keyring import Keyring
from core.crypto.unlocking import KeyFile
from core.settings import CoreSettings
from hub.data_dir import DataDir
from hub.layout import POSTGRES_URL, Layout
from hub.ports import Port
from hub.services import Service

BASE = 19500


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A platform on its own block of ports, with the embedded PostgreSQL."""
    monkeypatch.delenv(POSTGRES_URL, raising=False)
    data = DataDir.at(tmp_path)
    data.create()
    return Layout.on(data, {part: BASE + step for step, part in enumerate(Port)})


@pytest.mark.parametrize("service", Service)
def test_a_server_can_start_from_what_it_is_told(
    service: Service, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings are complete, and the files they name can be opened."""
    for name, text in layout.environment(service).items():
        monkeypatch.setenv(name, text)

    settings = CoreSettings.read(service)

    assert settings.listen == f"127.0.0.1:{layout.ports[Port(service)]}"
    assert settings.reflection == "open"
    assert settings.keyring_key_path
    assert Keyring.open(settings.keyring_path, KeyFile(settings.keyring_key_path)).newest == 1


def test_compliance_is_told_of_every_service(layout: Layout) -> None:
    """Whoever holds data of persons is asked for it, and nobody else asks."""
    told = json.loads(layout.environment(Service.COMPLIANCE)["MEDHUB_COMPLIANCE_SUBJECT_TARGETS"])

    others = [name for each in Service for name in layout.environment(each) if "SUBJECT" in name]

    assert told == {each: f"127.0.0.1:{layout.ports[Port(each)]}" for each in Service}
    assert others == ["MEDHUB_COMPLIANCE_SUBJECT_TARGETS"]


def test_no_server_is_told_the_owners_password(layout: Layout) -> None:
    """Only the migration, which ends before the servers start, can change tables."""
    servers = [spec.env for spec in layout.servers()]

    owners = [layout.of(service).passwords().owner for service in Service]

    for env in servers:
        told = "\n".join(env.values())
        assert not any(owner in told for owner in owners)
    assert all(any(owner in text for text in layout.migration().env.values()) for owner in owners)


def test_no_two_services_share_a_secret(layout: Layout) -> None:
    """A service that is taken over opens nothing of the others."""
    passwords = [layout.of(service).passwords() for service in Service]
    texts = [text for each in passwords for text in (each.owner, each.app, each.relay)]

    assert len(set(texts)) == len(texts)
    assert len({layout.of(service).service_key() for service in Service}) == len(Service)


def test_a_url_replaces_the_embedded_postgres(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a URL no PostgreSQL is started here, and the services connect to that server."""
    monkeypatch.setenv(POSTGRES_URL, "postgresql://root:secret@db.example:6000/postgres")

    url = layout.database(Service.CLINICAL).app

    assert layout.cluster() is None
    assert "host=db.example" in url
    assert "port=6000" in url
    assert "user=medhub_clinical_app" in url
    assert "dbname=medhub_clinical" in url
    assert "secret" not in url.replace(os.fspath(layout.data.root), "")


def test_the_run_file_names_what_listens(layout: Layout) -> None:
    """Scripts find each service where its server was told to listen."""
    running = layout.running(42)

    assert running.grpc == {
        service: layout.environment(service)[f"MEDHUB_{service.upper()}_LISTEN"]
        for service in Service
    }
    assert running.http == f"http://127.0.0.1:{BASE}"
    assert running.mllp_port == layout.ports[Port.MLLP]


def test_parts_of_another_version_are_passed_over(layout: Layout) -> None:
    """A platform is found with the parts that there are now."""
    layout.data.ports.write_text(json.dumps({**layout.ports, "older": 1}))

    assert Layout.found(layout.data).ports == layout.ports


def test_the_interface_of_envoy_stays_closed(layout: Layout) -> None:
    """It would ask nobody for anything, and could stop the edge."""
    assert "--admin" not in layout.edge().argv
