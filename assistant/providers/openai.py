"""OpenAI's chat completions, which many servers speak, local ones too."""

from dataclasses import dataclass
from typing import Any

from assistant.providers.http import post_json, whole
from assistant.providers.port import Completion, Failure, Limits, Prompt, ProviderFailed, Stop

ADDRESS = "https://api.openai.com/v1"
STOPS = {"stop": Stop.END, "length": Stop.LENGTH, "content_filter": Stop.REFUSAL}


@dataclass(frozen=True)
class OpenAI:
    model: str
    key: str = ""
    url: str = ""
    is_json: bool = False
    name: str = "openai"

    def complete(self, prompt: Prompt, limits: Limits) -> Completion:
        """Return the model's answer. Raises ProviderFailed."""
        messages = [{"role": "system", "content": prompt.system}]
        messages += [{"role": one.role, "content": one.text} for one in prompt.messages]
        # OpenAI's newer models refuse `max_tokens`; other servers know nothing else
        most = "max_tokens" if self.url else "max_completion_tokens"
        payload: dict[str, Any] = {"model": self.model, "messages": messages, most: limits.max_tokens}
        if self.is_json:
            payload["response_format"] = {"type": "json_object"}
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return _completion(post_json(f"{(self.url or ADDRESS).rstrip('/')}/chat/completions", payload, headers, limits))


def _completion(body: dict[str, Any]) -> Completion:
    choices, usage = body.get("choices"), body.get("usage")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise ProviderFailed(Failure.NOT_UNDERSTOOD, status=200, may_be_charged=True)
    usage = usage if isinstance(usage, dict) else {}
    content, tools = message.get("content"), message.get("tool_calls")
    stop = STOPS.get(str(choice.get("finish_reason")), Stop.OTHER)
    return Completion(
        text=content if isinstance(content, str) else "",
        tokens_in=whole(usage.get("prompt_tokens")),
        tokens_out=whole(usage.get("completion_tokens")),
        model=str(body.get("model", ""))[:100],
        stop=Stop.REFUSAL if message.get("refusal") else stop,
        tools_ignored=(len(tools) if isinstance(tools, list) else 0) + bool(message.get("function_call")),
    )
