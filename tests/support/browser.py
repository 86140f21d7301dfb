"""Chromium for tests, told what to do over its debugging pipe (the Chrome DevTools Protocol)."""

import asyncio
import fcntl
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium")
PATIENCE = 60.0  # seconds for one command, on a machine that does much else
_FROM_HERE = 10  # descriptors that a shell's redirection to 3 and 4 does not overwrite


class Browser:
    """One page of a browser."""

    def __init__(self, reader: asyncio.StreamReader, write_fd: int) -> None:
        self._reader = reader
        self._write_fd = write_fd
        self._asked = 0
        self._session = ""

    async def command(self, name: str, **arguments: Any) -> dict[str, Any]:
        """The result of a command. What happens besides is not listened to."""
        self._asked += 1
        said = {"id": self._asked, "method": name, "params": arguments}
        if self._session:
            said["sessionId"] = self._session
        os.write(self._write_fd, json.dumps(said).encode() + b"\0")
        async with asyncio.timeout(PATIENCE):
            while True:
                heard = json.loads((await self._reader.readuntil(b"\0"))[:-1])
                if heard.get("id") == self._asked:
                    assert "error" not in heard, heard
                    found: dict[str, Any] = heard["result"]
                    return found

    async def open(self, url: str) -> None:
        """Load a page, and wait until it is there."""
        made = await self.command("Target.createTarget", url=url)
        attached = await self.command(
            "Target.attachToTarget", targetId=made["targetId"], flatten=True
        )
        self._session = attached["sessionId"]
        there, state = f"complete{url}", "document.readyState + location.href"
        async with asyncio.timeout(PATIENCE):
            while await self.run(state) != there:  # noqa: ASYNC110 - a page tells nobody
                await asyncio.sleep(0.05)

    async def run(self, script: str) -> Any:
        """The value of an expression in the page, awaited."""
        done = await self.command(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")


@asynccontextmanager
async def browser(home: Path) -> AsyncIterator[Browser]:
    """A browser with a profile of its own, without a window."""
    there, here_out = os.pipe()
    here_in, back = os.pipe()
    theirs = [fcntl.fcntl(each, fcntl.F_DUPFD, _FROM_HERE) for each in (there, back)]
    os.close(there)
    os.close(back)
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", f'exec "$0" "$@" 3<&{theirs[0]} 4>&{theirs[1]}', str(CHROMIUM),
        "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={home}", "--remote-debugging-pipe", "about:blank",
        pass_fds=theirs,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    for each in theirs:
        os.close(each)
    reader = asyncio.StreamReader(limit=2**24)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(here_in, "rb")
    )
    try:
        yield Browser(reader, here_out)
    finally:
        process.kill()
        await process.wait()
        transport.close()
        os.close(here_out)
