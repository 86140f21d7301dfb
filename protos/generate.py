"""Make gen/ from protos/, with nothing but installed packages.

    python protos/generate.py            write gen/
    python protos/generate.py --check    fail if gen/ is not what the contracts say

No wheel carries the sources of third-party contracts, and no registry is asked: their file
descriptors are taken from the generated modules of installed packages and handed to protoc as a
descriptor set. `buf/validate/validate_pb2.py`, which no wheel carries either, is generated from
that set into gen/ as well.
"""

import argparse
import filecmp
import os
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from protovalidate._gen.buf.validate import validate_pb as validate

HERE = Path(__file__).resolve().parent
GEN = HERE.parent / "gen"
IMAGE = "medhub/contract.binpb"

_GOOGLE = (
    "google.api.annotations_pb2",
    "google.api.field_behavior_pb2",
    "google.api.http_pb2",
    "google.api.httpbody_pb2",
    "google.api.resource_pb2",
    "google.protobuf.any_pb2",
    "google.protobuf.descriptor_pb2",
    "google.protobuf.duration_pb2",
    "google.protobuf.empty_pb2",
    "google.protobuf.field_mask_pb2",
    "google.protobuf.struct_pb2",
    "google.protobuf.timestamp_pb2",
    "google.protobuf.wrappers_pb2",
    "google.rpc.code_pb2",
    "google.rpc.error_details_pb2",
    "google.rpc.status_pb2",
    "google.type.date_pb2",
    "google.type.decimal_pb2",
    "google.type.money_pb2",
)
# Standard services that every server has, for the edge's health route and for clients.
_GRPC = ("grpc_health.v1.health_pb2",)


def third_party() -> FileDescriptorSet:
    """The contracts of others that ours import, dependencies first."""
    found = FileDescriptorSet()
    for module in (*_GOOGLE, *_GRPC):
        found.file.add().ParseFromString(import_module(module).DESCRIPTOR.serialized_pb)
    found.file.append(FileDescriptorProto.FromString(validate._DESC.proto.to_binary()))
    return found


def protoc(*arguments: str) -> None:
    """Run the protoc of grpcio-tools in a process of its own, our plugins on its path."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    command = [sys.executable, "-m", "grpc_tools.protoc", *arguments]
    subprocess.run(command, check=True, env={**os.environ, "PATH": path})


def generate(out: Path) -> None:
    """Write the whole of gen/ into `out`."""
    sources = sorted(str(p.relative_to(HERE)) for p in HERE.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as scratch:
        others = Path(scratch, "third_party.binpb")
        others.write_bytes(third_party().SerializeToString(deterministic=True))
        known = f"--descriptor_set_in={others}"
        (out / "medhub").mkdir(parents=True, exist_ok=True)
        path = f"-I{HERE}"
        python = (f"--python_out={out}", f"--pyi_out={out}")
        protoc(known, *python, "buf/validate/validate.proto")
        protoc(known, path, *python, *sources)
        services = [s for s in sources if s.endswith("_service.proto")]
        protoc(known, path, f"--grpc_python_out={out}", f"--mypy_grpc_out={out}", *services)
        image = Path(scratch, "image.binpb")
        standard = ("google/rpc/error_details.proto", "google/rpc/status.proto")
        health = "grpc_health/v1/health.proto"
        protoc(
            known,
            path,
            "--include_imports",
            "--include_source_info",
            f"--descriptor_set_out={image}",
            *sources,
            *standard,
            health,
        )
        (out / IMAGE).write_bytes(image.read_bytes())
    for folder in (out / "medhub", out / "buf"):
        for package in (folder, *(p for p in folder.rglob("*") if p.is_dir())):
            (package / "__init__.py").touch()


def files_of(folder: Path) -> set[str]:
    """The generated files below a folder, as relative paths."""
    return {
        str(p.relative_to(folder))
        for p in folder.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }


def differences(fresh: Path) -> list[str]:
    """Files that are missing from gen/, left over in it, or other than they should be."""
    wanted, found = files_of(fresh), files_of(GEN)
    changed = {f for f in wanted & found if not filecmp.cmp(fresh / f, GEN / f, shallow=False)}
    return sorted(changed | (wanted ^ found))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        generate(fresh)
        stale = differences(fresh)
        if wanted.check:
            for name in stale:
                print(f"gen/{name} is not what the contracts say; run `just gen`")
            return 1 if stale else 0
        for name in stale:
            if (fresh / name).exists():
                (GEN / name).parent.mkdir(parents=True, exist_ok=True)
                (GEN / name).write_bytes((fresh / name).read_bytes())
            else:
                (GEN / name).unlink()
        print(f"gen/: {len(stale)} files written or removed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
