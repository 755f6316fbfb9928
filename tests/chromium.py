"""A page in headless Chromium, for tests of what a browser makes of a file."""

import itertools
import json
import os
import select
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

COMMAND = shutil.which("chromium") or shutil.which("chromium-browser")
_START = Path(__file__).with_name("programs") / "start_chromium.py"


class Browser:
    """A page in headless Chromium, driven over the DevTools protocol.

    Reference: https://chromedevtools.github.io/devtools-protocol/
    """

    def __init__(self, commands, answers):
        self._commands, self._answers = commands, answers
        self._numbers = itertools.count(1)
        self._read = b""
        self._session = {}
        self.events = []
        target = self.call("Target.createTarget", url="about:blank")
        attached = self.call("Target.attachToTarget", **target, flatten=True)
        self._session = attached
        for domain in ("Page", "Runtime", "Log", "DOM"):
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        number = next(self._numbers)
        command = {"id": number, "method": method, "params": params, **self._session}
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while (answer := self._next()).get("id") != number:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _next(self):
        while b"\0" not in self._read:
            assert select.select([self._answers], [], [], 60)[0], "no answer"
            chunk = os.read(self._answers, 1 << 16)
            assert chunk, "Chromium has ended"
            self._read += chunk
        text, _, self._read = self._read.partition(b"\0")
        return json.loads(text)

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.wait("document.readyState == 'complete'")

    def run(self, expression):
        """The value of JavaScript."""
        params = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        answer = self.call("Runtime.evaluate", **params)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, condition):
        """Until a condition in JavaScript holds."""
        self.run(
            "new Promise((done, fail) => { const look = () => "
            f"({condition}) ? done() : requestAnimationFrame(look); look(); "
            "setTimeout(() => fail(new Error('waited for long')), 30000); })"
        )

    def choose(self, selector, files):
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)
        files = [str(file) for file in files]
        self.call("DOM.setFileInputFiles", files=files, **node)

    def screen(self, width, height):
        self.call(
            "Emulation.setDeviceMetricsOverride",
            **{"width": width, "height": height, "deviceScaleFactor": 1},
            mobile=width < 600,
        )

    def close(self):
        self._session = {}  # a command to the browser, not to the page
        self.call("Browser.close")

    def complaints(self):
        """What the browser's console holds: errors, blocked resources."""
        kinds = (
            "Log.entryAdded",
            "Runtime.exceptionThrown",
            "Runtime.consoleAPICalled",
        )
        return [event for event in self.events if event.get("method") in kinds]


@contextmanager
def opened(profile):
    """A browser that keeps its files in the folder `profile`."""
    commands, answers = os.pipe(), os.pipe()
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]
    flags += ["--disable-background-networking", f"--user-data-dir={profile}"]
    process = subprocess.Popen(
        [sys.executable, _START, str(commands[0]), str(answers[1]), COMMAND, *flags],
        pass_fds=(commands[0], answers[1]),
        stderr=subprocess.DEVNULL,
    )
    os.close(commands[0])
    os.close(answers[1])
    try:
        page = Browser(commands[1], answers[0])
        yield page
        page.close()
    finally:
        process.terminate()
        process.wait()
        os.close(commands[1])
        os.close(answers[0])
