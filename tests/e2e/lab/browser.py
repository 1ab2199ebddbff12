# SPDX-License-Identifier: BSD-2-Clause
"""Chromium without a screen, driven by the WebDriver protocol."""

import base64
import http.client
import json

from .process import Process
from .sockets import listening_ports
from .wait import until

PORT = 9515
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver's word for one
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Left": "\ue012", "Right": "\ue014"}


class Browser:
    """On a node, with a window of that size; dark: as somebody has it who likes it so."""

    def __init__(self, node, width=1280, height=900, dark=False):
        self.node = node
        self.driver = Process(node, "chromedriver", "chromedriver", f"--port={PORT}")

        def listens():
            with node.inside():
                return PORT in listening_ports() or not self.driver.running()

        until(listens, "chromedriver listens", 30)
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     f"--window-size={width},{height}", f"--user-data-dir={node.dir}/chromium"]
        options = {"browserName": "chrome", "goog:chromeOptions": {"args": arguments},
                   "goog:loggingPrefs": {"browser": "ALL"}}
        self.session = ""
        said = self._call("POST", "/session", {"capabilities": {"alwaysMatch": options}})
        self.session = f"/session/{said['sessionId']}"
        self.resize(width, height)
        if dark:
            self._cdp("Emulation.setEmulatedMedia",
                      {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})

    def _call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)
        with self.node.inside():
            connection.connect()
        try:
            connection.request(method, self.session + path, None if body is None else json.dumps(body),
                               {"Content-Type": "application/json"})
            value = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        assert not (isinstance(value, dict) and "error" in value), value
        return value

    def _cdp(self, command, parameters):
        return self._call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def resize(self, width, height):
        self._cdp("Emulation.setDeviceMetricsOverride",
                  {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})

    def open(self, url):
        self._call("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        """Runs a script and returns its result: "return ..."."""
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def text(self, selector):
        return self.run("const found = document.querySelector(arguments[0]);"
                        "return found && !found.closest('[hidden]') ? found.textContent : null", selector)

    def texts(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)",
                        selector)

    def wait_text(self, selector, wanted):
        until(lambda: wanted in (self.text(selector) or ""),
              lambda: f"{selector} says {wanted!r}, not {self.text(selector)!r}", 30)

    def click(self, selector):
        found = self._call("POST", "/element", {"using": "css selector", "value": selector})
        self._call("POST", f"/element/{found[ELEMENT]}/click", {})

    def keys(self, *keys):
        """Pressed one after the other, whatever has the focus: names of KEYS, or text."""
        pressed = [KEYS.get(key, key) for key in keys]
        actions = [{"type": kind, "value": character} for key in pressed for character in key
                   for kind in ("keyDown", "keyUp")]
        self._call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def errors(self):
        """What the console says is wrong: scripts, or things that the page's policy forbids."""
        return [entry["message"] for entry in self._call("POST", "/se/log", {"type": "browser"})
                if entry["level"] == "SEVERE"]

    def screenshot(self, path):
        path.write_bytes(base64.b64decode(self._call("GET", "/screenshot")))

    def close(self):
        self._call("DELETE", "")
        self.driver.stop()
