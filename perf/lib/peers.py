"""The servers under test and the upstream behind them: configured, started, watched, stopped."""

import http.client
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from . import definitions, machine, plane

# The whole answer of MOCK and of the small upstream: JSON of exactly 100 bytes, no `$`, `#` or quote
# that any of the peers' configuration languages would read.
BODY = '{"id":137,"name":"a constant answer of one hundred bytes","kind":"perf","tags":["ring","way"],"n":1}'
assert len(BODY) == 100

PERF = Path(__file__).resolve().parent.parent
ROOT = PERF.parent
START_TIMEOUT_S = 15
STOP_TIMEOUT_S = 5


class PeerError(Exception):
    """A server that cannot be had, does not start, or answers wrongly. The text says how to mend it."""


@dataclass
class Server:
    """One running server. Its whole process tree counts."""

    name: str
    port: int
    process: subprocess.Popen
    log: Path
    # Where its control-plane API is, and the path of its API: both are known once it runs.
    api: plane.Api | None = None

    def path(self, profile):
        return self.api.path(profile.path) if self.api else profile.path

    def pids(self):
        return machine.process_tree(self.process.pid)

    def cpu_ns(self):
        return machine.cpu_ns(self.pids())

    def memory_bytes(self):
        return machine.memory_bytes(self.pids())

    def log_tail(self):
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        except OSError:
            return ""

    def check_alive(self):
        if self.process.poll() is not None:
            raise PeerError(f"{self.name} ended with status {self.process.returncode}:\n{self.log_tail()}")

    def stop(self):
        """Ends exactly this server, by its process ids."""
        pids = self.pids()
        for signum in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is not None:
                break
            self.process.send_signal(signum)
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                # nginx's master cannot take its workers along when it is killed.
                for pid in pids[1:]:
                    _kill(pid)


def _kill(pid):
    try:
        subprocess.run(["kill", "-KILL", str(pid)], capture_output=True, check=False)
    except OSError:
        pass


@dataclass
class Fleet:
    """Starts servers for one profile; `stop` ends what it started."""

    folder: Path
    files: Path
    server_cpu: int
    load_cpu: int
    binaries: dict

    def __post_init__(self):
        self.servers = []
        self.upstream_port = 0

    def stop(self):
        while self.servers:
            self.servers.pop().stop()

    def start_upstream(self, kind="nginx"):
        """The integration behind all proxies: nginx, or the sink that reads and drops uploads."""
        port = free_port()
        if kind == "sink":
            command = [self.binaries["perf-load"], "sink", "--listen", f"127.0.0.1:{port}"]
        else:
            config = self._fill(PERF / "peers/upstream/nginx.conf", "upstream.conf", port)
            command = ["nginx", "-p", str(self.folder), "-c", str(config)]
        server = self._spawn("upstream", [str(self.load_cpu)], command, port)
        self.upstream_port = port
        return server

    def start(self, name, profile, throttle="1000000:1000000"):
        """One peer, pinned to the server's core."""
        port = free_port()
        cpus = [str(self.server_cpu)]
        if profile.service == "plane":
            return self._plane(name, cpus, port)
        if name == "ringway":
            if profile.shards > 1:
                cpus = sorted({str(self.server_cpu), str(self.load_cpu)})
            command = self._ringway(profile, port, throttle)
        elif name == "pingora":
            command = [self.binaries["pingora"], f"127.0.0.1:{port}", f"127.0.0.1:{self.upstream_port}"]
        elif name == "haproxy":
            config = self._fill(PERF / f"peers/{profile.service}/haproxy.cfg", f"haproxy-{port}.cfg", port)
            command = ["haproxy", "-db", "-f", str(config)]
        else:
            config = self._fill(PERF / f"peers/{profile.service}/{name}.conf", f"{name}-{port}.conf", port)
            command = ["nginx", "-p", str(self.folder), "-c", str(config)]
        return self._spawn(name, cpus, command, port)

    def _plane(self, name, cpus, port):
        """`ringway serve` with one deployed API of 300 resources."""
        admin = free_port()
        command = [
            self.binaries["ringway"], "serve", "--shards", "1", "--store", self.folder / f"store-{port}",
            "--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{admin}", "--admin-auth", "none",
            "--access-log", "off", "--account-throttle", "1000000:1000000",
        ]  # fmt: skip
        server = self._spawn(name, cpus, command, port)
        server.api = plane.Api.imported(admin, definitions.mock_routes(300, BODY))
        return server

    def _ringway(self, profile, port, throttle):
        if profile.service == "mock":
            definition = self.folder / "mock.yaml"
            definition.write_text(definitions.mock_routes(200, BODY))
        else:
            definition = self._fill(PERF / "definitions/proxy.yaml", "proxy.yaml", port)
        return [
            self.binaries["ringway"], "run", str(definition), "--shards", str(profile.shards),
            "--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{free_port()}",
            "--access-log", "off", "--account-throttle", throttle, *profile.ringway_args,
        ]  # fmt: skip

    def _fill(self, template, name, port):
        text = template.read_text()
        for key, value in {
            "DIR": self.folder,
            "FILES": self.files,
            "PORT": port,
            "UPSTREAM_PORT": self.upstream_port,
            "SERVER_CPU": self.server_cpu,
            "SERVER_CPU_MASK": f"{1 << self.server_cpu:b}",
            "LOAD_CPU_MASK": f"{1 << self.load_cpu:b}",
            "BODY": BODY,
        }.items():
            text = text.replace(f"@{key}@", str(value))
        config = self.folder / name
        config.write_text(text)
        return config

    def _spawn(self, name, cpus, command, port):
        log = self.folder / f"{name}-{port}.out"
        with log.open("wb") as output:
            # A session of its own: Ctrl-C reaches this tool, which stops the servers in order.
            process = subprocess.Popen(
                ["taskset", "-c", ",".join(cpus), *map(str, command)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        server = Server(name, port, process, log)
        self.servers.append(server)
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            server.check_alive()
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                return server
            except OSError:
                time.sleep(0.02)
        raise PeerError(f"{name} does not listen after {START_TIMEOUT_S} s:\n{server.log_tail()}")


def free_port():
    """A loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port, path, method="GET", body=None):
    """One request on a connection of its own: status, headers, body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body=body)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    except (OSError, http.client.HTTPException) as error:
        raise PeerError(f"{method} http://127.0.0.1:{port}{path}: {error!r}") from error
    finally:
        connection.close()


def upstream_counts(port):
    """Connections accepted and requests read by the upstream so far."""
    text = ask(port, "/upstream-status")[2].decode()
    accepted, _handled, requests = text.splitlines()[2].split()
    return int(accepted), int(requests)


def version(name, binaries):
    """One line that names the peer's version."""
    commands = {
        "nginx": ["nginx", "-v"],
        "nginx-tuned": ["nginx", "-v"],
        "haproxy": ["haproxy", "-v"],
        "ringway": [binaries.get("ringway", "ringway"), "--version"],
        "ringway-calm": [binaries.get("ringway", "ringway"), "--version"],
    }
    if name == "pingora":
        for line in (PERF / "pingora/Cargo.lock").read_text().split("[[package]]"):
            if 'name = "pingora"\n' in line:
                return "pingora " + line.partition('version = "')[2].partition('"')[0]
        return "pingora"
    done = subprocess.run(commands[name], capture_output=True, text=True, check=False)
    lines = (done.stdout or done.stderr).splitlines()
    return lines[0].strip() if lines else name


def program_missing(name):
    return shutil.which(name, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") is None
