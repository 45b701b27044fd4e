"""The servers under test and the upstream behind them: configured, started, watched, stopped."""

import http.client
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from . import definitions, features, machine, plane

# The whole answer of MOCK and of the small upstream: JSON of exactly 100 bytes, no `$`, `#` or quote
# that any of the peers' configuration languages would read.
BODY = '{"id":137,"name":"a constant answer of one hundred bytes","kind":"perf","tags":["ring","way"],"n":1}'
assert len(BODY) == 100

PERF = Path(__file__).resolve().parent.parent
ROOT = PERF.parent
# nginx with Lua: Debian's packages, and what the configuration loads of them.
LUA_PACKAGES = ("libnginx-mod-http-lua", "lua-cjson")
LUA_FILES = ("/usr/lib/nginx/modules/ngx_http_lua_module.so", "/usr/lib/x86_64-linux-gnu/lua/5.1/cjson.so")
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
    # The `Host` it finds its API by, where that matters; where it writes its access log.
    host: str | None = None
    access_log: Path | None = None
    # Its API, where that was made through its admin port.
    api: plane.Api | None = None

    def path(self, profile):
        """Where the profile's path is: an API that was made has an id of its own."""
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
        self.inputs = None

    def stop(self):
        while self.servers:
            self.servers.pop().stop()

    def start_upstream(self, kind="nginx"):
        """The integration behind all proxies: nginx, or the sink that reads and drops uploads."""
        port = free_port()
        if kind == "sink":
            command = [self.binaries["perf-load"], "sink", "--listen", f"127.0.0.1:{port}"]
            if self.inputs:
                answer = self.folder / "answer.json"
                answer.write_text(BODY)
                command += ["--answer-file", answer]
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
            return self._start_with_plane(name, port, cpus)
        if profile.service == "features":
            return self._start_with_features(name, port, cpus)
        if name == "ringway":
            if profile.shards > 1:
                cpus = sorted({str(self.server_cpu), str(self.load_cpu)})
            command = self._ringway(profile, port, throttle)
        elif name == "pingora":
            command = [self.binaries["pingora"], f"127.0.0.1:{port}", f"127.0.0.1:{self.upstream_port}"]
        elif name == "floor":
            upstream = [f"127.0.0.1:{self.upstream_port}"] if profile.service != "mock" else []
            bulk = ["--bulk"] if profile.service == "big" else []
            command = [self.binaries["floor"], f"127.0.0.1:{port}", *upstream, *bulk]
        elif name == "haproxy":
            config = self._fill(PERF / f"peers/{profile.service}/haproxy.cfg", f"haproxy-{port}.cfg", port)
            command = ["haproxy", "-db", "-f", str(config)]
        else:
            config = self._fill(PERF / f"peers/{profile.service}/{name}.conf", f"{name}-{port}.conf", port)
            command = ["nginx", "-p", str(self.folder), "-c", str(config)]
        return self._spawn(name, cpus, command, port)

    def _start_with_features(self, name, port, cpus):
        """A Ringway with a store of its own, set up by calls to its admin port; or an nginx."""
        log = self.inputs.access_log(name)
        if name not in features.RINGWAYS:
            config = self._fill(PERF / f"peers/features/{name}.conf", f"{name}-{port}.conf", port, name)
            server = self._spawn(name, cpus, ["nginx", "-p", str(self.folder), "-c", str(config)], port)
            server.access_log = log
            return server
        if name == "ringway-plain":
            log = None
        admin_port = free_port()
        config = features.config(self.folder, f"{name}-{port}", port, admin_port, log)
        server = self._spawn(name, cpus, [self.binaries["ringway"], "serve", "--config", str(config)], port)
        server.access_log = log
        try:
            server.host = features.set_up(admin_port, name, self.inputs, self.upstream_port)
        except (features.FeaturesError, OSError) as error:
            raise PeerError(f"{name}: {error}\n{server.log_tail()}") from error
        return server

    def _start_with_plane(self, name, port, cpus):
        """`ringway serve` with one deployed API of 300 resources."""
        admin_port = free_port()
        command = [
            self.binaries["ringway"], "serve", "--shards", "1", "--store", self.folder / f"store-{port}",
            "--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{admin_port}", "--admin-auth", "none",
            "--access-log", "off", "--account-throttle", "1000000:1000000",
        ]  # fmt: skip
        server = self._spawn(name, cpus, command, port)
        try:
            server.api = plane.Api.imported(admin_port, definitions.mock_routes(300, BODY))
        except (plane.PlaneError, OSError) as error:
            raise PeerError(f"{name}: {error}\n{server.log_tail()}") from error
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

    def _fill(self, template, name, port, peer=None):
        text = template.read_text()
        more = self.inputs.placeholders(peer) if peer else {}
        for key, value in {
            "DIR": self.folder,
            "FILES": self.files,
            "PORT": port,
            "UPSTREAM_PORT": self.upstream_port,
            "SERVER_CPU": self.server_cpu,
            "SERVER_CPU_MASK": f"{1 << self.server_cpu:b}",
            "LOAD_CPU_MASK": f"{1 << self.load_cpu:b}",
            "BODY": BODY,
            **more,
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


def ask(port, path, method="GET", body=None, headers=None):
    """One request on a connection of its own: status, headers, body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body=body, headers=headers or {})
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
        "nginx-lua": ["nginx", "-v"],
        "haproxy": ["haproxy", "-v"],
        **{one: [binaries.get("ringway", "ringway"), "--version"] for one in ("ringway", "ringway-calm", *features.RINGWAYS)},
    }
    if name == "floor":
        return "perf/floor"
    if name == "pingora":
        for line in (PERF / "pingora/Cargo.lock").read_text().split("[[package]]"):
            if 'name = "pingora"\n' in line:
                return "pingora " + line.partition('version = "')[2].partition('"')[0]
        return "pingora"
    done = subprocess.run(commands[name], capture_output=True, text=True, check=False)
    lines = (done.stdout or done.stderr).splitlines()
    text = lines[0].strip() if lines else name
    return f"{text} with lua-nginx-module {package_version(LUA_PACKAGES[0])}" if name == "nginx-lua" else text


def package_version(package):
    command = ["dpkg-query", "--show", "--showformat", "${Version}", package]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout or "?"
    except OSError:
        return "?"


def lua_missing():
    """Whether nginx's Lua module or cjson has to be installed."""
    return not all(Path(path).exists() for path in LUA_FILES)


def program_missing(name):
    return shutil.which(name, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") is None
