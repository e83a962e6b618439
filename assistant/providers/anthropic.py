"""Anthropic's Messages API, version 2026-10-21."""

from dataclasses import dataclass
from typing import Any

from assistant.providers.http import post_json, whole
from assistant.providers.port import Completion, Failure, Limits, Prompt, ProviderFailed, Stop

ADDRESS = "https://api.anthropic.com"
VERSION = "2026-10-21"
STOPS = {
    "end_turn": Stop.END,
    "stop_sequence": Stop.END,
    "max_tokens": Stop.LENGTH,
    "model_context_window_exceeded": Stop.LENGTH,
    "refusal": Stop.REFUSAL,
}


@dataclass(frozen=True)
class Anthropic:
    model: str
    key: str
    url: str = ""
    name: str = "anthropic"

    def complete(self, prompt: Prompt, limits: Limits) -> Completion:
        """Return the model's answer. Raises ProviderFailed."""
        payload = {
            "model": self.model,
            "max_tokens": limits.max_tokens,
            "system": prompt.system,
            "messages": [{"role": one.role, "content": one.text} for one in prompt.messages],
        }
        headers = {"Authorization": f"Bearer {self.key}", "anthropic-version": VERSION}
        return _completion(post_json(f"{(self.url or ADDRESS).rstrip('/')}/v1/messages", payload, headers, limits))


def _completion(body: dict[str, Any]) -> Completion:
    blocks, usage = body.get("content"), body.get("usage")
    if not isinstance(blocks, list) or not isinstance(usage, dict):
        raise ProviderFailed(Failure.NOT_UNDERSTOOD, status=200, may_be_charged=True)
    blocks = [block for block in blocks if isinstance(block, dict)]
    cached = whole(usage.get("cache_creation_input_tokens")) + whole(usage.get("cache_read_input_tokens"))
    return Completion(
        text="".join(str(block.get("text", "")) for block in blocks if block.get("type") == "text"),
        tokens_in=whole(usage.get("input_tokens")) + cached,
        tokens_out=whole(usage.get("output_tokens")),
        model=str(body.get("model", ""))[:100],
        stop=STOPS.get(str(body.get("stop_reason")), Stop.OTHER),
        tools_ignored=sum(str(block.get("type", "")).endswith("tool_use") for block in blocks),
    )
