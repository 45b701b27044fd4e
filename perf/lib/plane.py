"""The control-plane API of a running `ringway serve`: an API is imported, deployed, and deployed again."""

import http.client
import json
import threading
import time
from contextlib import contextmanager

STAGE = "dev"


class PlaneError(Exception):
    """A call that was refused. The text is the server's."""


class Api:
    """One API of a server whose admin port is open to all."""

    def __init__(self, port, identifier):
        self.port = port
        self.identifier = identifier

    @classmethod
    def imported(cls, port, document):
        """ImportRestApi, and a first deployment."""
        made = _call(port, "POST", "/restapis?mode=import", document)
        api = cls(port, made["id"])
        api.deploy()
        return api

    def path(self, path):
        """`/dev/x` as the path form of this API has it: load generators do not set a host."""
        return f"/_aws/execute-api/{self.identifier}{path}"

    def deploy(self):
        """CreateDeployment on the stage."""
        path = f"/restapis/{self.identifier}/deployments"
        _call(self.port, "POST", path, json.dumps({"stageName": STAGE}))

    @contextmanager
    def deploying(self, per_second):
        """Deploys at that rate until the end of the block. Gives the list of how long each took, seconds."""
        done, failed, end = [], [], threading.Event()

        def run():
            due = time.monotonic()
            while not end.is_set():
                try:
                    begun = time.monotonic()
                    self.deploy()
                    done.append(time.monotonic() - begun)
                except (PlaneError, OSError, http.client.HTTPException) as error:
                    failed.append(error)
                    return
                # One that comes late does not make the next ones come in a row.
                due = max(due + 1 / per_second, time.monotonic())
                end.wait(due - time.monotonic())

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield done
        finally:
            end.set()
            thread.join()
        if failed:
            raise PlaneError(f"a deployment failed: {failed[0]}")


def _call(port, method, path, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
        if response.status >= 300:
            raise PlaneError(f"{method} {path}: {response.status} {text[:500]!r}")
        return json.loads(text) if text else None
    finally:
        connection.close()
