"""Writes a folder from which Envoy runs: configuration, descriptors, guard, documents."""

import json
import shutil
from pathlib import Path

import yaml

from core.contract import everything
from core.contract.catalogue import image
from edge.bindings import operations
from edge.body_guard import script
from edge.documents import OPENAPI, SOURCES, documents
from edge.envoy import configuration
from edge.openapi import document
from edge.settings import Edge


def write(edge: Edge, folder: Path) -> Path:
    """Write everything, over what an earlier call has written; returns the configuration's file."""
    contract = everything()
    folder = folder.resolve()
    # What cannot be configured leaves no folder behind.
    made = configuration(edge, contract, folder)
    folder.mkdir(parents=True, exist_ok=True)
    for served in documents(folder):
        if served.file.name != OPENAPI:
            shutil.copyfile(SOURCES / served.file.name, served.file)
    described = json.dumps(document(contract, image()), ensure_ascii=False, separators=(",", ":"))
    (folder / OPENAPI).write_text(described, "utf-8")
    (folder / "contract.binpb").write_bytes(image().SerializeToString())
    (folder / "body_guard.lua").write_text(script(operations(contract)), "utf-8")
    bootstrap = folder / "envoy.yaml"
    # JSON is YAML, and Envoy reads a file by its ending.
    bootstrap.write_text(yaml.safe_dump(made, sort_keys=False, width=100), "utf-8")
    return bootstrap
