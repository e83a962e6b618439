"""A strict identity provider in a process of its own: `python -m users.tests.oidc_provider`, which prints its port.

`POST /control` takes JSON: claims that differ, `sign` (key, none, hmac), `keys` (rotated) and `userinfo`.
"""

import base64
import hashlib
import hmac
import json
import secrets
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "incident:response", "a secret/with+signs"
PERSON = {
    "sub": "4711",
    "email": "ann@corp.example",
    "email_verified": True,
    "name": "Ann Example",
}


class State:
    def __init__(self) -> None:
        self.keys = {"one": rsa.generate_private_key(65537, 2048)}
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: set[str] = set()
        self.control: dict[str, Any] = {}


class Handler(BaseHTTPRequestHandler):
    state: State

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
        {
            "/.well-known/openid-configuration": self.discovery,
            "/authorize": lambda: self.authorize(query),
            "/jwks": self.jwks,
            "/userinfo": self.userinfo,
        }.get(path, self.nothing)()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/control":
            self.state.control = json.loads(body)
            if name := self.state.control.get("rotate"):
                self.state.keys = {name: rsa.generate_private_key(65537, 2048)}
            return self.answer({})
        return self.token({name: values[0] for name, values in parse_qs(body.decode()).items()})

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def discovery(self) -> None:
        self.answer(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            }
            | self.state.control.get("metadata", {})
        )

    def authorize(self, query: dict[str, str]) -> None:
        redirect = query.get("redirect_uri", "")
        if query.get("client_id") != CLIENT or not redirect.endswith("/sign-in/oidc/corp/callback/"):
            return self.answer({"error": "unknown client or redirect_uri"}, 400)
        wrong = (
            query.get("response_type") != "code"
            or "openid" not in query.get("scope", "").split()
            or query.get("code_challenge_method") != "S256"
            or any(len(query.get(name, "")) < 32 for name in ("state", "nonce", "code_challenge"))
        )
        if wrong or self.state.control.get("deny"):
            error = "invalid_request" if wrong else "access_denied"
            return self.redirect(redirect, {"error": error, "state": query.get("state", "")})
        code = secrets.token_urlsafe(24)
        self.state.codes[code] = query
        return self.redirect(redirect, {"code": code, "state": query["state"], "iss": self.issuer})

    def token(self, form: dict[str, str]) -> None:
        given = self.headers.get("Authorization", "").removeprefix("Basic ")
        name, _, secret = base64.b64decode(given).decode().partition(":")
        if (unquote_plus(name), unquote_plus(secret)) != (CLIENT, SECRET):
            return self.answer({"error": "invalid_client"}, 401)
        asked = self.state.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        is_right = (
            asked is not None
            and form.get("grant_type") == "authorization_code"
            and form.get("redirect_uri") == asked["redirect_uri"]
            and challenge == asked["code_challenge"]
        )
        if not is_right or asked is None:
            return self.answer({"error": "invalid_grant"}, 400)
        access = secrets.token_urlsafe(24)
        self.state.tokens.add(access)
        return self.answer({"access_token": access, "token_type": "Bearer", "id_token": self.id_token(asked)})

    def id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"], **PERSON}
        claims |= self.state.control.get("claims", {})
        claims["exp"] += self.state.control.get("shift", 0)
        claims = {name: value for name, value in claims.items() if value is not None}
        name, key = next(iter(self.state.keys.items()))
        how = self.state.control.get("sign", "key")
        if how == "none":
            return jwt.encode(claims, None, algorithm="none")
        if how == "hmac":  # with the public key, which everybody knows, as its secret
            parts = [{"alg": "HS256", "kid": name}, claims]
            text = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
            mac = hmac.new(json.dumps(self.public()[0]).encode(), text.encode(), hashlib.sha256).digest()
            return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        if how == "forged":
            key = rsa.generate_private_key(65537, 2048)
        return jwt.encode(claims, key, algorithm="RS256", headers={"kid": name})

    def public(self) -> list[dict[str, Any]]:
        numbers = jwt.algorithms.RSAAlgorithm
        return [
            {**numbers.to_jwk(key.public_key(), as_dict=True), "kid": name, "use": "sig", "alg": "RS256"}
            for name, key in self.state.keys.items()
        ]

    def jwks(self) -> None:
        self.answer({"keys": self.public()})

    def userinfo(self) -> None:
        if self.headers.get("Authorization", "").removeprefix("Bearer ") not in self.state.tokens:
            return self.answer({"error": "invalid_token"}, 401)
        return self.answer({**PERSON, **self.state.control.get("userinfo", {})})

    def nothing(self) -> None:
        self.answer({"error": "not found"}, 404)

    def redirect(self, address: str, values: dict[str, str]) -> None:
        self.send_response(302)
        self.send_header("Location", f"{address}?{urlencode(values)}")
        self.end_headers()

    def answer(self, body: dict[str, Any], status: int = 200) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


def main() -> None:
    Handler.state = State()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
