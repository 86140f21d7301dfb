"""HL7 v2 messages in files, as people keep them: framed, in a batch, or one after the other."""

import re
from pathlib import Path

_FRAME = re.compile(rb"\x0b(.*?)\x1c\r?", re.DOTALL)
_LINE_END = re.compile(rb"\r\n|\r|\n")
_MESSAGE = b"MSH"
# Envelopes of a batch or of a file of batches (HL7 v2 section 2.10.3) are no message's segments.
_ENVELOPES = (b"FHS", b"BHS", b"BTS", b"FTS")
_CONTROL_ID = 10


class NoMessage(Exception):
    """A file holds no HL7 message."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} holds no HL7 message (no segment begins with MSH)")


def messages_in(path: Path) -> list[bytes]:
    """The messages of a file, in order. Raises NoMessage when there is none.

    Framed messages are taken as they are. Otherwise each MSH segment begins a message, and lines
    of any system end a segment: on the wire a segment ends with a carriage return.
    """
    content = path.read_bytes()
    messages = _FRAME.findall(content) or _split(content)
    if not messages:
        raise NoMessage(path)
    return messages


def _split(content: bytes) -> list[bytes]:
    messages: list[list[bytes]] = []
    for line in _LINE_END.split(content):
        if not line.strip() or line.startswith(_ENVELOPES):
            continue
        if line.startswith(_MESSAGE):
            messages.append([])
        if messages:
            messages[-1].append(line)
    return [b"\r".join(segments) + b"\r" for segments in messages]


def control_id(message: bytes) -> bytes:
    """MSH-10, empty when the message has none. MSH-1 is the field separator itself."""
    header = _LINE_END.split(message, maxsplit=1)[0]
    fields = header.split(header[3:4]) if len(header) > 3 else []
    return fields[_CONTROL_ID - 1] if len(fields) >= _CONTROL_ID else b""


def acknowledged(answer: bytes) -> tuple[str, bytes]:
    """MSA-1, the acknowledgement code, and MSA-2, the control id it is for."""
    segments = _LINE_END.split(answer)
    separator = segments[0][3:4]
    for segment in segments:
        if separator and segment.startswith(b"MSA" + separator):
            fields = [*segment.split(separator), b"", b""]
            return fields[1].decode("ascii", "replace"), fields[2]
    return "", b""
