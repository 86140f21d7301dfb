"""An OpenID provider on the loopback: discovery, keys, codes with PKCE, ID tokens, user info.

It keeps what the standard asks of a provider (a code once, for its client, redirect and verifier)
and can be told to lie, which no provider that is installed somewhere does on demand.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

CLIENT = "medhub"
SECRET = "kept-between-the-two-of-us-and-nobody-else"
REDIRECT = "https://portal.example/return"
KID = "first"
Claims = dict[str, Any]


@dataclass
class OpenIdProvider:
    """One provider. What it says of the person who signs in is `person`; `lie` changes a token."""

    issuer: str = ""
    person: Claims = field(default_factory=lambda: {"sub": "u-1"})
    lie: Callable[[Claims], Claims] = lambda claims: claims
    sign: Callable[["OpenIdProvider", Claims], str] | None = None
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    algorithm: str = "RS256"
    names_issuer: bool = True
    private: Any = None
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _tokens: dict[str, Claims] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.private = new_private(self.algorithm)

    def approve(self, page: str) -> dict[str, str]:
        """What a browser does with the page: the parameters that it is sent back with."""
        answer = httpx2.get(page, follow_redirects=False, timeout=10.0)
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["location"])
        assert f"{back.scheme}://{back.netloc}{back.path}" == REDIRECT
        return {name: values[0] for name, values in parse_qs(back.query).items()}

    def keys(self) -> dict[str, Any]:
        """The published key set."""
        public = jwt.get_algorithm_by_name(self.algorithm).to_jwk(
            self.private.public_key(), as_dict=True
        )
        return {"keys": [{**public, "kid": KID, "use": "sig", "alg": self.algorithm}]}

    def signed(self, claims: Claims) -> str:
        """An ID token."""
        if self.sign is not None:
            return self.sign(self, claims)
        return jwt.encode(claims, self.private, self.algorithm, headers={"kid": KID})

    def answer(
        self, method: str, path: str, query: dict[str, str], headers: Any, body: str
    ) -> tuple[int, dict[str, str], bytes]:
        """One request."""
        self.requests.append(f"{method} {path}")
        if path in self.answers:
            return self.answers[path]
        if path == "/.well-known/openid-configuration":
            return _json(200, self._discovery())
        if path == "/keys":
            return _json(200, self.keys())
        if path == "/authorize":
            return self._authorize(query)
        if path == "/token" and method == "POST":
            return self._token({n: v[0] for n, v in parse_qs(body).items()}, headers)
        if path == "/userinfo":
            held = self._tokens.get(headers.get("authorization", "").removeprefix("Bearer "))
            return _json(200, held) if held else _json(401, {"error": "invalid_token"})
        return _json(404, {"error": "not_found"})

    def _discovery(self) -> Claims:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "authorization_response_iss_parameter_supported": self.names_issuer,
        }

    def _authorize(self, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        asked = (query.get("client_id"), query.get("response_type"), query.get("redirect_uri"))
        right = asked == (CLIENT, "code", REDIRECT) and "openid" in query.get("scope", "").split()
        if not right or query.get("code_challenge_method") != "S256":
            return _json(400, {"error": "invalid_request"})
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        back = {"code": code, "state": query["state"]}
        if self.names_issuer:
            back["iss"] = self.issuer
        return 302, {"location": f"{REDIRECT}?{urlencode(back)}"}, b""

    def _token(self, form: dict[str, str], headers: Any) -> tuple[int, dict[str, str], bytes]:
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if headers.get("authorization") != f"Basic {basic}":
            return _json(401, {"error": "invalid_client"})
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            asked is None
            or form.get("redirect_uri") != asked["redirect_uri"]
            or base64.urlsafe_b64encode(challenge).rstrip(b"=").decode() != asked["code_challenge"]
        ):
            return _json(400, {"error": "invalid_grant"})
        now, access = int(time.time()), secrets.token_urlsafe(16)
        self._tokens[access] = dict(self.person)
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": asked["nonce"],
            **self.person,
        }
        if "max_age" in asked:
            # Whoever is known here is asked again, so they have answered just now.
            claims["auth_time"] = now
        token = {"access_token": access, "token_type": "Bearer", "expires_in": 300}
        return _json(200, {**token, "id_token": self.signed(self.lie(claims))})


def new_private(algorithm: str) -> Any:
    """A key for an algorithm."""
    if algorithm.startswith("ES"):
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, 2048)


@contextmanager
def openid_provider(algorithm: str = "RS256") -> Iterator[OpenIdProvider]:
    """A provider that listens until the end of the block."""
    provider = OpenIdProvider(algorithm=algorithm)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            status, headers, content = provider.answer(
                self.command, parts.path, query, self.headers, body
            )
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answer  # noqa: N815 - the names that the library calls

        def log_message(self, *_: object) -> None:
            """Tests read `requests`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _json(status: int, document: object) -> tuple[int, dict[str, str], bytes]:
    return status, {"content-type": "application/json"}, json.dumps(document).encode()
