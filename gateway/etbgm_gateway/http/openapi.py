"""The API's description as OpenAPI 3.1, made from the contract and its comments."""

from importlib.metadata import version
from typing import Any

from etbgm_gateway.http.comments import comment_on
from etbgm_gateway.http.problems import MEDIA_TYPE as PROBLEM
from etbgm_gateway.http.routes import SERVICE, Route, routes
from etbgm_gateway.http.schemas import components, field_schema, reference
from etbgm_gateway.http.uploads import OFFSET_TYPE

Object = dict[str, Any]

_PROBLEM: Object = {
    "type": "object",
    "required": ["title", "status", "detail", "reason"],
    "properties": {
        "title": {"type": "string", "description": "Name of the gRPC status code, or of an error of HTTP."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {"type": "string", "description": "What is wrong, as a sentence."},
        "reason": {"type": "string", "description": "What is wrong, for programs.", "examples": ["BUSY"]},
        "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
        "errors": {
            "type": "array",
            "description": "The invalid fields.",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
_ERROR: Object = {
    "description": "An error: problem details (RFC 9457).",
    "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_EVENTS = (
    "Server-sent events `job` and `heartbeat` with a Job as JSON, and `end` after the last one. Their id is "
    "the job's sequence, which a client sends as Last-Event-ID to continue at any gateway."
)
_EXAMPLES: dict[str, Object] = {
    "CreateJob": {
        "video": {
            "uri": "artifact://sha256/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.mp4",
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "mediaType": "video/mp4",
            "sizeBytes": "1048576",
        },
        "settings": {"variants": 2, "style": "calm piano"},
        "requestId": "order-2026-0001",
    }
}


def openapi() -> Object:
    """Returns the document."""
    paths: dict[str, Object] = {}
    for route in routes():
        paths.setdefault(route.path, {})[route.http_method.lower()] = _operation(route)
    for path, operations in _manual().items():
        paths.setdefault(path, {}).update(operations)
    used = [kind for route in routes() for kind in (route.rpc.input_type, route.rpc.output_type)]
    used.append(SERVICE.methods_by_name["UploadVideo"].output_type)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ET-BGM",
            "version": version("etbgm-gateway"),
            "description": comment_on(SERVICE.full_name),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {"Problem": _PROBLEM, **components(used)},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


def _operation(route: Route) -> Object:
    rpc = route.rpc
    output = reference(rpc.output_type.full_name)
    kind = "application/json"
    if rpc.server_streaming:
        kind, output = (
            "text/event-stream",
            {"type": "string", "description": _EVENTS},
        )
    operation: Object = {
        "operationId": rpc.name,
        "summary": comment_on(rpc.full_name).partition(". ")[0].removesuffix("."),
        "description": comment_on(rpc.full_name),
        "parameters": _parameters(route),
        "responses": {"200": {"description": "OK", "content": {kind: {"schema": output}}}, "default": _ERROR},
    }
    if route.has_body:
        content: Object = {"schema": reference(rpc.input_type.full_name)}
        if example := _EXAMPLES.get(rpc.name):
            content["example"] = example
        operation["requestBody"] = {"required": False, "content": {"application/json": content}}
    return operation


def _parameters(route: Route) -> list[Object]:
    fields = route.rpc.input_type.fields
    in_path = [
        {"name": field.name, "in": "path", "required": True, "schema": field_schema(field)}
        for field in fields
        if field.name in route.parameters
    ]
    in_query = [
        {"name": field.json_name, "in": "query", "schema": field_schema(field)}
        for field in fields
        if not route.has_body and field.name not in route.parameters and not field.message_type
    ]
    return in_path + in_query


def _header(name: str, description: str, required: bool = True) -> Object:
    schema = {"type": "integer", "minimum": 0}
    return {"name": name, "in": "header", "required": required, "description": description, "schema": schema}


def _in_path(name: str) -> Object:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _bytes(operation_id: str, summary: str, parameters: list[Object], **others: Any) -> Object:
    """Returns an operation of `_manual`; `others` are its responses by status, as "s200" for 200."""
    responses = {name.removeprefix("s"): value for name, value in others.items()}
    return {
        "operationId": operation_id,
        "summary": summary,
        "parameters": parameters,
        "responses": {**responses, "default": _ERROR},
    }


def _manual() -> dict[str, dict[str, Object]]:
    """Returns the operations whose bodies are bytes."""
    return {**_uploads(), **_artifacts()}


def _uploads() -> dict[str, dict[str, Object]]:
    upload_id = _in_path("upload_id")
    offset = _header("Upload-Offset", "Number of bytes received so far.")
    length = _header("Upload-Length", "Size of the whole file in bytes.")
    rest = [upload_id, {**offset, "required": False}, {**length, "required": False}]
    uploaded = {"application/json": {"schema": reference("etbgm.gateway.v1.UploadVideoResponse")}}
    opens = _bytes("CreateUpload", "Opens a resumable upload (tus 1.0)", [length],
                   s201={"description": "Location has its path."})  # fmt: skip
    tells = _bytes("GetUploadOffset", "Returns how much was received (tus 1.0)", [upload_id],
                   s200={"description": "OK"})  # fmt: skip
    appends = _bytes("ContinueUpload", "Appends bytes (tus 1.0)", [upload_id, offset],
                     s204={"description": "Upload-Offset has the new number."})  # fmt: skip
    puts = _bytes("PutUpload", "Uploads a file as a whole, or from Upload-Offset on", rest,
                  s200={"description": "OK", "content": uploaded})  # fmt: skip
    appends["requestBody"] = {"required": True, "content": {OFFSET_TYPE: {"schema": {}}}}
    puts["requestBody"] = {"required": True, "content": {"video/*": {"schema": {}}}}
    return {
        "/v1/uploads": {"post": opens},
        "/v1/uploads/{upload_id}": {"head": tells, "patch": appends, "put": puts},
    }


def _artifacts() -> dict[str, dict[str, Object]]:
    content: Object = {"*/*": {"schema": {}}}
    responses = {
        "s200": {"description": "The whole artifact", "content": content},
        "s206": {"description": "A part of it", "content": content},
        "s304": {"description": "Not modified"},
    }
    name = _in_path("name")
    name["description"] = "The end of the artifact's uri."
    get = _bytes("GetArtifact", "Returns the bytes of an artifact, or a range of them", [name], **responses)
    head = _bytes("HeadArtifact", "Returns the size and type of an artifact", [name], **responses)
    return {"/v1/artifacts/{name}": {"get": get, "head": head}}
