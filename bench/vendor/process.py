"""The vendors' process as the benchmark holds it: started, asked, ended."""

from __future__ import annotations

import subprocess
import sys
from types import TracebackType
from typing import Any

import requests


class VendorProcess:
    """`with VendorProcess(100_000) as vendor:` the vendors listen on `vendor.port` of this machine."""

    def __init__(self, records: int, *, on_the_fly: bool = False) -> None:
        self.records = records
        self._command = [sys.executable, "-m", "bench.vendor", "--records", str(records)]
        if on_the_fly:
            self._command.append("--on-the-fly")
        self._session = requests.Session()
        self._session.trust_env = False

    def __enter__(self) -> VendorProcess:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._session.close()
        self._process.terminate()
        self._process.wait()

    def move(self, side: str, *, every: int, first: int = 0) -> int:
        """People edit the job title of every so-maniest record of one side; returns how many."""
        return int(self._ask("POST", "_move", {"side": side, "every": every, "first": first}))

    def calls(self) -> dict[str, int]:
        """How often each kind of call came since this was asked last."""
        counted: dict[str, int] = self._ask("GET", "_calls")
        return counted

    def _ask(self, method: str, name: str, body: Any = None) -> Any:
        response = self._session.request(method, f"http://127.0.0.1:{self.port}/{name}", json=body, timeout=60)
        response.raise_for_status()
        return response.json()
