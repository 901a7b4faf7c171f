"""The OpenAPI document: complete, consistent, and commented."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import openapi_spec_validator
import pytest

from etbgm_gateway.http.openapi import openapi
from etbgm_gateway.http.routes import SERVICE, SHARES, WEBHOOKS, routes

DOCUMENT = openapi()


def everything(value: Any) -> Iterator[Any]:
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from everything(inner)


def values_of(key: str) -> list[Any]:
    return [one[key] for one in everything(DOCUMENT) if isinstance(one, dict) and key in one]


def test_it_is_valid() -> None:
    openapi_spec_validator.validate(DOCUMENT)


def test_each_method_has_a_path_or_a_translation_of_its_own() -> None:
    by_hand = {"UploadVideo", "DownloadArtifact"}
    methods = {method.name for service in (SERVICE, SHARES, WEBHOOKS) for method in service.methods}
    assert {route.rpc.name for route in routes()} == methods - by_hand
    described = {
        (operation["operationId"])
        for path in DOCUMENT["paths"].values()
        for operation in path.values()
    }  # fmt: skip
    assert described > {route.rpc.name for route in routes()}


def test_references_lead_somewhere_and_ids_are_unique() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    references = values_of("$ref")
    assert references
    assert {ref.removeprefix("#/components/schemas/") for ref in references} <= schemas.keys()
    ids = [
        one["operationId"] for one in everything(DOCUMENT) if isinstance(one, dict) and "operationId" in one
    ]
    assert len(ids) == len(set(ids))


def test_path_parameters_are_declared() -> None:
    for path, operations in DOCUMENT["paths"].items():
        for operation in operations.values():
            declared = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
            assert declared == set(re.findall(r"{(\w+)}", path)), path


def test_everything_is_commented() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        if name.startswith("etbgm."):
            assert schema["description"], name
            for field, inner in schema.get("properties", {}).items():
                assert inner.get("description"), f"{name}.{field}"


@pytest.mark.parametrize("name", ["etbgm.gateway.v1.CreateJobRequest"])
def test_examples_are_valid(name: str) -> None:
    (example,) = [
        one["example"] for one in everything(DOCUMENT) if isinstance(one, dict) and "example" in one
    ]
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(schema).validate(example)
