"""Writes the gRPC stubs beside the contract, and its descriptors with comments: `python protos/generate.py`.

Needs grpcio-tools, mypy-protobuf and googleapis-common-protos.
"""

import sys
from pathlib import Path

import google.rpc
from grpc_tools import protoc

FOLDER = Path(__file__).parent
GOOGLEAPIS = Path(next(iter(google.rpc.__path__))).parents[1]
INCLUDED = Path(protoc.__file__).with_name("_proto")


def main() -> int:
    """The exit status of protoc."""
    programs = Path(sys.executable).parent
    plugins = [f"--plugin=protoc-gen-{name}={programs}/protoc-gen-{name}" for name in ("mypy", "mypy_grpc")]
    outputs = [f"--{name}_out={FOLDER}" for name in ("python", "grpc_python")]
    types = [f"--{name}_out=quiet:{FOLDER}" for name in ("mypy", "mypy_grpc")]
    includes = [f"-I{folder}" for folder in (FOLDER, GOOGLEAPIS, INCLUDED)]
    contracts = sorted(str(path) for path in FOLDER.rglob("*.proto"))
    described = [f"--descriptor_set_out={FOLDER}/etbgm/gateway/v1/descriptors.bin", "--include_source_info"]
    return protoc.main(["protoc", *includes, *plugins, *outputs, *types, *described, *contracts])


if __name__ == "__main__":
    sys.exit(main())
