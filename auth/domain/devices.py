"""What a client says of itself (user-agent, RFC 9110), in words that a person recognizes.

Whoever logs in can say what they like: the words help people to tell their own sessions apart and
decide nothing. What is not known is called by its own first word.
"""

import re

LONGEST_NAME = 60
"""Characters: what a list of sessions has room for."""

# In this order: browsers also name those that they are like.
_PROGRAMS = (
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("grpcurl/", "grpcurl"),
    ("curl/", "curl"),
    ("grpc-python", "gRPC for Python"),
    ("grpc-java", "gRPC for Java"),
    ("grpc-go/", "gRPC for Go"),
    ("grpc-node", "gRPC for Node.js"),
    ("grpc-dotnet", "gRPC for .NET"),
)
# In this order: an iPad also names macOS, Android also names Linux.
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
    ("linux", "Linux"),
)
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def device_name(agent: str) -> str:
    """`Firefox on Windows`; empty when the client says nothing that can be read."""
    program = _first(_PROGRAMS, agent) or _own_word(agent)
    system = _first(_SYSTEMS, agent)
    named = f"{program} on {system}" if program and system else program or system
    return named[:LONGEST_NAME]


def _first(known: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((name for sign, name in known if sign in agent), "")


def _own_word(agent: str) -> str:
    found = _WORD.match(agent)
    return found[0] if found else ""
