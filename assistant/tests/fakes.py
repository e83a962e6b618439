"""Servers that judge requests as providers of language models do, and say what a test wants."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from unittest import mock
from urllib.parse import unquote

import botocore.session
from anthropic.types import MessageCreateParams
from botocore.validate import ParamValidator
from django.test import override_settings
from openai.types.chat import CompletionCreateParams
from pydantic import TypeAdapter, ValidationError

KEY = "test-key-of-nobody"
MODEL = "test-model-1"
AWS = {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}


@dataclass(frozen=True)
class Reply:
    status: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    drip: float = 0.0  # seconds between bytes
    late: float = 0.0  # seconds


Say = Callable[[str], str | Reply]  # from all that the model is told to its text


class Vendor:
    """How one provider's API looks: what it accepts, answers and refuses with."""

    name = ""

    def refusal_of(self, path: str, headers: Mapping[str, str], body: Any) -> Reply | None:
        raise NotImplementedError

    def answer(self, text: str, stop: str = "", *, tools: int = 0) -> Reply:
        raise NotImplementedError

    def error(self, status: int, **headers: str) -> Reply:
        raise NotImplementedError

    def told(self, body: Any) -> str:
        return json.dumps(body, ensure_ascii=False)

    @property
    def settings(self) -> dict[str, Any]:
        return {"ASSISTANT_API_KEY": KEY}


class AnthropicApi(Vendor):
    """As the vendor's own client declares requests."""

    name = "anthropic"
    wanted = TypeAdapter(MessageCreateParams)
    known = frozenset(MessageCreateParams.__args__[0].__annotations__)  # type: ignore[attr-defined]

    def refusal_of(self, path: str, headers: Mapping[str, str], body: Any) -> Reply | None:
        if path != "/v1/messages":
            return self.error(404)
        if headers.get("authorization") != f"Bearer {KEY}":
            return self.error(401)
        if headers.get("anthropic-version") != "2026-10-21" or not _fits(self.wanted, self.known, body):
            return self.error(400)
        roles = [one["role"] for one in body["messages"]]
        is_alternating = all(role == ("user", "assistant")[place % 2] for place, role in enumerate(roles))
        has_removed = {"temperature", "top_p", "top_k"} & set(body)
        return None if is_alternating and body["max_tokens"] > 0 and not has_removed else self.error(400)

    def answer(self, text: str, stop: str = "end_turn", *, tools: int = 0) -> Reply:
        content: list[dict[str, Any]] = [{"type": "text", "text": text}]
        content += [
            {"type": "tool_use", "id": f"toolu_{n}", "name": "close_incident", "input": {}} for n in range(tools)
        ]
        return _json(
            200,
            {
                **{"id": "msg_1", "type": "message", "role": "assistant", "model": MODEL, "content": content},
                **{"stop_reason": stop or "end_turn", "stop_sequence": None},
                "usage": {"input_tokens": 120, "output_tokens": 30},
            },
        )

    def error(self, status: int, **headers: str) -> Reply:
        kinds = {
            400: "invalid_request_error",
            401: "authentication_error",
            404: "not_found_error",
            429: "rate_limit_error",
        }
        kind = kinds.get(status, "overloaded_error" if status == 529 else "api_error")
        return _json(status, {"type": "error", "error": {"type": kind, "message": f"{KEY} no"}}, **headers)


class OpenAIApi(Vendor):
    """As the vendor's own client declares requests."""

    name = "openai"
    wanted = TypeAdapter(CompletionCreateParams)
    known = frozenset(CompletionCreateParams.__args__[0].__annotations__)  # type: ignore[attr-defined]

    def refusal_of(self, path: str, headers: Mapping[str, str], body: Any) -> Reply | None:
        if path != "/v1/chat/completions":
            return self.error(404)
        if headers.get("authorization") != f"Bearer {KEY}":
            return self.error(401)
        return None if _fits(self.wanted, self.known, body) and body.get("messages") else self.error(400)

    def answer(self, text: str, stop: str = "stop", *, tools: int = 0) -> Reply:
        calls = [
            {"id": f"call_{n}", "type": "function", "function": {"name": "close_incident", "arguments": "{}"}}
            for n in range(tools)
        ]
        message = {"role": "assistant", "content": text, "refusal": None, **({"tool_calls": calls} if calls else {})}
        choice = {"index": 0, "message": message, "finish_reason": stop or "stop", "logprobs": None}
        usage = {"prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150}
        head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": MODEL}
        return _json(200, {**head, "choices": [choice], "usage": usage})

    def error(self, status: int, **headers: str) -> Reply:
        error = {"message": f"Incorrect key {KEY}", "type": "invalid_request_error", "param": None, "code": None}
        return _json(status, {"error": error}, **headers)


class BedrockApi(Vendor):
    """As botocore's model of Converse says; botocore also reads the answers."""

    name = "bedrock"

    def refusal_of(self, path: str, headers: Mapping[str, str], body: Any) -> Reply | None:
        operation = botocore.session.get_session().get_service_model("bedrock-runtime").operation_model("Converse")
        if path != f"/model/{MODEL}/converse":
            return self.error(404)
        if not str(headers.get("authorization", "")).startswith("AWS4-HMAC-SHA256 Credential=AKIATEST/"):
            return self.error(403)
        shape = operation.input_shape
        known = set(shape.members) - {"modelId"}
        is_sound = not ParamValidator().validate({**body, "modelId": MODEL}, shape).has_errors()
        return None if is_sound and set(body) <= known else self.error(400)

    def answer(self, text: str, stop: str = "end_turn", *, tools: int = 0) -> Reply:
        content: list[dict[str, Any]] = [{"text": text}]
        content += [{"toolUse": {"toolUseId": f"t{n}", "name": "close_incident", "input": {}}} for n in range(tools)]
        return _json(
            200,
            {
                "output": {"message": {"role": "assistant", "content": content}},
                "stopReason": stop or "end_turn",
                "usage": {"inputTokens": 120, "outputTokens": 30, "totalTokens": 150},
                "metrics": {"latencyMs": 5},
            },
        )

    def error(self, status: int, **headers: str) -> Reply:
        codes = {400: "ValidationException", 403: "AccessDeniedException", 404: "ResourceNotFoundException"}
        codes |= {429: "ThrottlingException", 503: "ServiceUnavailableException", 408: "ModelTimeoutException"}
        code = codes.get(status, "InternalServerException")
        return _json(status, {"message": "no"}, **{"x-amzn-ErrorType": code}, **headers)

    @property
    def settings(self) -> dict[str, Any]:
        return {"ASSISTANT_API_KEY": "", "ASSISTANT_REGION": "eu-central-1"}


VENDORS: tuple[Vendor, ...] = (AnthropicApi(), OpenAIApi(), BedrockApi())


@dataclass
class FakeModel:
    """`say` is asked for each text; `received` is every byte of the requests' bodies, with head."""

    vendor: Vendor
    say: Say
    url: str = ""
    received: list[bytes] = field(default_factory=list)

    @property
    def all_received(self) -> str:
        return "\n".join(one.decode("utf-8", "replace") for one in self.received)

    def reply_to(self, path: str, headers: Mapping[str, str], content: bytes) -> Reply:
        """Return the vendor's refusal, or what the test wants said."""
        try:
            body = json.loads(content)
        except ValueError:
            return self.vendor.error(400)
        refusal = self.vendor.refusal_of(path, headers, body)
        if refusal is not None:
            return refusal
        said = self.say(self.vendor.told(body))
        return said if isinstance(said, Reply) else self.vendor.answer(said)


@contextmanager
def fake_model(vendor: Vendor, say: Say, **settings: Any) -> Iterator[FakeModel]:
    """Serve a model on this machine, configured as the operator would."""
    model = FakeModel(vendor, say)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            model.received.append(f"{self.requestline}\n{self.headers}".encode() + content)
            headers = {name.lower(): value for name, value in self.headers.items()}
            _send(self, model.reply_to(unquote(self.path), headers, content))

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    model.url = f"http://127.0.0.1:{server.server_port}"
    base = f"{model.url}/v1" if vendor.name == "openai" else model.url
    given = {"ASSISTANT_PROVIDER": vendor.name, "ASSISTANT_MODEL": MODEL, "ASSISTANT_URL": base, **vendor.settings}
    try:
        with override_settings(**{**given, **settings}), mock.patch.dict("os.environ", AWS):
            yield model
    finally:
        server.shutdown()
        server.server_close()


def _send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    time.sleep(reply.late)
    handler.send_response(reply.status)
    for name, value in {
        "Content-Type": "application/json",
        "Content-Length": len(reply.content),
        **reply.headers,
    }.items():
        handler.send_header(name, str(value))
    handler.end_headers()
    try:
        for place in range(len(reply.content)) if reply.drip else ():
            handler.wfile.write(reply.content[place : place + 1])
            handler.wfile.flush()
            time.sleep(reply.drip)
        if not reply.drip:
            handler.wfile.write(reply.content)
    except OSError:
        handler.close_connection = True


def _json(status: int, body: Any, **headers: str) -> Reply:
    return Reply(status, json.dumps(body).encode(), {name.replace("_", "-"): value for name, value in headers.items()})


def _fits(wanted: TypeAdapter[Any], known: frozenset[str], body: Any) -> bool:
    try:
        wanted.validate_python(body)
    except ValidationError:
        return False
    return set(body) <= known and "tools" not in body
