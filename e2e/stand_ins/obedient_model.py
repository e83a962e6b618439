"""A language model that does all that the data tell it to, behind the API that servers of the openai kind speak.

It answers with the words it was given as if they were true, orders, and calls of tools; asked again, only the words.
"""

import json
import re
from typing import Any

from e2e.stand_ins.serving import Reply, Request, StandIn, of_json, run

KEY, MODEL = "stand-in-key", "obedient-1"
CHAT = "/v1/chat/completions"
ROW = re.compile(r"^\[((?:event|change|alert|log|incident)-\d+)\] \S+ (.*)$", re.MULTILINE)
ARGUMENTS = {"model", "messages", "max_tokens", "temperature", "response_format", "stream"}
ORDERS = {"action": "close", "status": "closed", "severity": "low", "tool": "close_incident"}
AGAIN = "This does not do"


class ObedientModel(StandIn):
    def judge(self, request: Request) -> Reply:
        if request.path != CHAT or request.method != "POST":
            return _refusal(404, f"Unknown request URL: {request.method} {request.path}.")
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return _refusal(401, "Incorrect API key provided.")
        try:
            body = json.loads(request.body)
        except ValueError:
            return _refusal(400, "We could not parse the JSON body of your request.")
        if unknown := sorted(set(body) - ARGUMENTS):
            return _refusal(400, f"Unrecognized request argument supplied: {unknown[0]}")
        if body.get("model") != MODEL or not body.get("messages"):
            return _refusal(404 if body.get("messages") else 400, "The model does not exist, or messages are missing.")
        return of_json(200, _completion(body["messages"]))


def _completion(messages: list[dict[str, str]]) -> dict[str, Any]:
    told = "\n".join(one["content"] for one in messages if one["role"] != "system")
    calls = [{"id": "call_1", "type": "function", "function": {"name": "close_incident", "arguments": "{}"}}]
    message = {"role": "assistant", "content": json.dumps(_answer(told)), "refusal": None, "tool_calls": calls}
    return {
        **{"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": MODEL},
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": len(told) // 4, "completion_tokens": 60, "total_tokens": len(told) // 4 + 60},
    }


def _answer(told: str) -> dict[str, Any]:
    rows = ROW.findall(told)
    loudest = [row for row in rows if "close this incident" in row[1].lower()] or rows
    ids = [name for name, _ in loudest][:3]
    text = (loudest[0][1] if loudest else "Nothing was told.")[:500]
    known: dict[str, Any] = {"causes": [{"hypothesis": text, "confidence": 1, "evidence": ids}]}
    if "likely causes" not in told:
        known = {"sentences": [{"text": text, "evidence": ids}]}
    return known if AGAIN in told else {**known, **ORDERS}


def _refusal(status: int, text: str) -> Reply:
    error = {"message": text, "type": "invalid_request_error", "param": None, "code": None}
    return of_json(status, {"error": error})


if __name__ == "__main__":
    run(ObedientModel, 8012, "A model that obeys whoever wrote to it:")
