"""Writes the gRPC stubs beside the contract, and its descriptors with comments: `python protos/generate.py`.

Needs grpcio-tools and mypy-protobuf. There are no stubs for google/, which googleapis-common-protos has.
"""

import sys
from pathlib import Path

from grpc_tools import protoc

FOLDER = Path(__file__).parent
THIRD_PARTY = FOLDER / "third_party"
INCLUDED = Path(protoc.__file__).with_name("_proto")


def main() -> int:
    """The exit status of protoc."""
    programs = Path(sys.executable).parent
    plugins = [f"--plugin=protoc-gen-{name}={programs}/protoc-gen-{name}" for name in ("mypy", "mypy_grpc")]
    outputs = [f"--{name}_out={FOLDER}" for name in ("python", "grpc_python")]
    types = [f"--{name}_out=quiet:{FOLDER}" for name in ("mypy", "mypy_grpc")]
    includes = [f"-I{folder}" for folder in (FOLDER, THIRD_PARTY, INCLUDED)]
    contracts = sorted(str(path) for path in FOLDER.rglob("*.proto") if THIRD_PARTY not in path.parents)
    described = [f"--descriptor_set_out={FOLDER}/etbgm/gateway/v1/descriptors.bin", "--include_source_info"]
    return protoc.main(["protoc", *includes, *plugins, *outputs, *types, *described, *contracts])


if __name__ == "__main__":
    sys.exit(main())
