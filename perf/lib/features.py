"""What the profile "features" needs: keys, bodies that fit the model and bodies that do not, and a Ringway
that was set up through its admin port as an owner does it."""

import copy
import http.client
import json
import random
import time
from pathlib import Path
from urllib.parse import quote

PERF = Path(__file__).resolve().parent.parent

KEY_COUNT = 100_000
# Half of the requests come from these, the other half from all keys alike.
HOT_KEYS = 1_000
HOT_SHARE = 0.5
BODY_BYTES = 1024
PATH = "/dev/orders?source=web"
KEY_HEADER = "x-api-key"
# Requests a second, at once, and a day of one key: never reached.
RATE, BURST, QUOTA = 1_000_000, 1_000_000, 1_000_000_000

# Whose features are on: (API key and plan and parameter and log, body check).
RINGWAYS = {"ringway": (True, True), "ringway-unchecked": (True, False), "ringway-plain": (False, False)}
# Who refuses what.
CHECKS_KEYS = ("ringway", "ringway-unchecked", "nginx", "nginx-lua")
CHECKS_BODIES = ("ringway", "nginx-lua")

LOG_MEMBERS = {
    "requestId": "$context.requestId",
    "ip": "$context.identity.sourceIp",
    "requestTime": "$context.requestTime",
    "httpMethod": "$context.httpMethod",
    "resourcePath": "$context.resourcePath",
    "status": "$context.status",
    "protocol": "$context.protocol",
    "responseLength": "$context.responseLength",
    "apiKeyId": "$context.identity.apiKeyId",
    "responseLatency": "$context.responseLatency",
}


class FeaturesError(Exception):
    """Ringway's admin port refused a step of the set-up, or a key does not work in time."""


# -- Keys and bodies ------------------------------------------------------------------------------


def keys(count, seed=5):
    """Values as AWS makes them, 40 letters and digits; lower case, because nginx's `map` knows no other."""
    draw = random.Random(seed)
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
    return ["".join(draw.choices(alphabet, k=40)) for _ in range(count)]


def order():
    """An order with all 15 properties."""
    return {
        "orderId": "RNG-20260117",
        "customerId": "c7f1d5e0-3b52-4d0f-9a55-0e6a4b9c2d11",
        "email": "marta.lindqvist@shop.example.com",
        "status": "paid",
        "currency": "EUR",
        "amount": 241.85,
        "quantity": 6,
        "discountPercent": 5,
        "express": True,
        "placedAt": "2026-01-17T09:41:07Z",
        "channel": "web",
        "note": "",
        "shippingAddress": {"street": "Gr\u00f6na gatan 14 B", "city": "Malm\u00f6", "postalCode": "211 45",
                            "country": "SE"},
        "items": [
            {"sku": "LMP0-42A7", "name": "Desk lamp, brass, \"Norr\"", "quantity": 1, "unitPrice": 129},
            {"sku": "BLB1-E27W", "name": "Bulb E27, warm white", "quantity": 4, "unitPrice": 8.75},
            {"sku": "CBL2-TX30", "name": "Textile cable, 3 m", "quantity": 1, "unitPrice": 24.9},
        ],
        "tags": ["gift", "newsletter", "returning"],
    }  # fmt: skip


def valid_body():
    """An order of exactly `BODY_BYTES` bytes as JSON; the note fills it up."""
    one = order()
    words = "Please ring twice and leave the parcel with the neighbours on the second floor if nobody opens. " * 8
    one["note"] = words[: BODY_BYTES - len(_json(one))]
    body = _json(one)
    assert len(body) == BODY_BYTES, len(body)
    return body


def invalid_bodies():
    """Orders that do not fit, each by one rule of the model, by what is wrong."""
    bodies = {"no JSON": b'{"orderId":', "no object": b"[]", "a text": b'"order"'}

    def wrong(name, change):
        one = order()
        change(one)
        bodies[name] = _json(one)

    for name, path, value in (
        ("pattern", "orderId", "rng-20260117"),
        ("type of a text", "orderId", 20260117),
        ("too short", "customerId", "c7f1"),
        ("too long", "customerId", "c" * 37),
        ("pattern of the address", "email", "nobody"),
        ("enum", "status", "lost"),
        ("enum, another case", "currency", "eur"),
        ("null", "currency", None),
        ("bound that is excluded", "amount", 0),
        ("above the maximum", "amount", 1000000.5),
        ("a number as text", "amount", "241.85"),
        ("a fraction for an integer", "quantity", 1.5),
        ("below the minimum", "quantity", 0),
        ("bounds of an optional one", "discountPercent", 101),
        ("type of a boolean", "express", "yes"),
        ("one character too few", "placedAt", "2026-01-17T09:41:07"),
        ("enum of an optional one", "channel", "fax"),
        ("characters of two bytes, one too many", "note", "\u00e5" * 501),
        ("object of another type", "shippingAddress", "Malm\u00f6"),
        ("pattern in an object", "shippingAddress.country", "Sweden"),
        ("bounds in an object", "shippingAddress.city", ""),
        ("empty array", "items", []),
        ("array of another type", "items", {"sku": "LMP0-42A7"}),
        ("too many items", "items", order()["items"] * 17),
        ("pattern in an array", "items.2.sku", "cable"),
        ("type in an array", "items.1.quantity", True),
        ("bound in an array", "items.0.unitPrice", -1),
        ("item that is no object", "items.1", 7),
        ("type of array's texts", "tags.1", 5),
        ("too many texts", "tags", ["a"] * 11),
    ):
        wrong(name, lambda one, path=path, value=value: _put(one, path.split("."), copy.deepcopy(value)))
    for path in ("orderId", "amount", "shippingAddress", "items", "shippingAddress.street", "items.0.quantity"):
        wrong(f"without {path}", lambda one, path=path: _put(one, path.split("."), None, remove=True))
    return bodies


def _put(value, path, new, remove=False):
    for step in path[:-1]:
        value = value[int(step) if isinstance(value, list) else step]
    last = int(path[-1]) if isinstance(value, list) else path[-1]
    if remove:
        del value[last]
    else:
        value[last] = new


def _json(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class Inputs:
    """Files in `folder` that load and servers read, and what nginx's configurations are filled with."""

    def __init__(self, folder, key_count=KEY_COUNT, rate=RATE, burst=BURST, quota=QUOTA):
        self.folder = folder
        self.keys = keys(key_count)
        self.rate, self.burst, self.quota = rate, burst, quota
        self.hot_keys = min(HOT_KEYS, key_count // 10)
        self.keys_file = folder / "keys.txt"
        self.keys_file.write_text("".join(f"{key}\n" for key in self.keys))
        self.map_file = folder / "keys.map"
        self.map_file.write_text("".join(f"{key} k{index:07};\n" for index, key in enumerate(self.keys, 1)))
        self.body = valid_body()
        self.body_file = folder / "order.json"
        self.body_file.write_bytes(self.body)

    def access_log(self, name):
        """Where that server writes its access log: a file on tmpfs, emptied before every measurement."""
        return self.folder / f"{name}-access.log"

    def placeholders(self, name):
        return {
            "PEER": PERF / "peers/features",
            "KEYS": self.keys_file,
            "KEYS_MAP": self.map_file,
            "ACCESS_LOG": self.access_log(name),
            "RATE": self.rate,
            "BURST": self.burst,
            "BURST_BEYOND": self.burst - 1,
            "QUOTA": self.quota,
        }

    def load_options(self, host):
        """Flags of `perf-load`: the same requests for every server, but for the host."""
        return {
            "method": "POST", "host": host, "body_file": self.body_file, "header_name": KEY_HEADER,
            "header_values": self.keys_file, "hot_values": self.hot_keys, "hot_share": HOT_SHARE,
        }  # fmt: skip


# -- Ringway, set up through its admin port -------------------------------------------------------


def config(folder, name, port, admin_port, access_log, shards=1):
    """Writes `ringway.toml` of one Ringway with an empty store; returns its path."""
    log_format = json.dumps(LOG_MEMBERS, separators=(",", ":"))
    text = f"""[server]
listen = ["127.0.0.1:{port}"]
shards = {shards}

[store]
path = {json.dumps(str(folder / f"{name}-store"))}

[admin]
listen = "127.0.0.1:{admin_port}"
auth = "none"
# 100 000 keys are some 7 MiB of CSV.
max_body = "64MiB"

[throttle]
account = "1000000:1000000"

[telemetry]
access_log = {json.dumps(str(access_log) if access_log else "off")}
access_log_format = {json.dumps(log_format)}
"""
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


def definition(upstream_port, with_keys, with_body_check):
    """The API with its features on or off."""
    text = (PERF / "definitions/features.yaml").read_text()
    for key, value in {
        "UPSTREAM_PORT": upstream_port,
        "SECURITY": "{api_key: []}" if with_keys else "",
        "VALIDATE_PARAMETERS": str(with_keys).lower(),
        "VALIDATE_BODY": str(with_body_check).lower(),
    }.items():
        text = text.replace(f"@{key}@", str(value))
    return text


class Admin:
    """Calls to Ringway's admin port."""

    def __init__(self, port):
        self.port = port

    def call(self, method, path, body=None):
        """The answer's JSON. Raises `FeaturesError` with what was said for any status but 2xx."""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        try:
            connection.request(method, path, body=data)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if not 200 <= response.status < 300:
            raise FeaturesError(f"{method} {path}: {response.status} {text[:500].decode(errors='replace')}")
        return json.loads(text) if text else {}

    def deploy(self, text, stage="dev"):
        """Imports an OpenAPI document and deploys it; returns the API's id."""
        api = self.call("POST", "/restapis?mode=import", text.encode())["id"]
        self.call("POST", f"/restapis/{api}/deployments", {"stageName": stage})
        return api

    def plan(self, name, api, stage="dev", throttle=None, quota=None):
        """A usage plan with that stage; returns its id."""
        members = {"name": name, "apiStages": [{"apiId": api, "stage": stage}]}
        members |= {"throttle": throttle} if throttle else {}
        members |= {"quota": quota} if quota else {}
        return self.call("POST", "/usageplans", members)["id"]

    def import_keys(self, values, plan):
        """Imports keys by CSV and puts them into a plan; returns their ids."""
        lines = ["Name,Key,Enabled,UsagePlanIds"]
        lines += [f"key-{index},{value},true,{plan}" for index, value in enumerate(values)]
        answer = self.call("POST", "/apikeys?mode=import&format=csv&failonwarnings=true", "\n".join(lines).encode())
        if len(answer["ids"]) != len(values):
            raise FeaturesError(f"{len(answer['ids'])} of {len(values)} keys were imported")
        return answer["ids"]

    def usage(self, plan, day):
        """What each key has used on a day, by its id: `[used, remaining]`."""
        found, position = {}, ""
        while True:
            path = f"/usageplans/{plan}/usage?startDate={day}&endDate={day}&limit=500"
            answer = self.call("GET", path + (f"&position={quote(position)}" if position else ""))
            found |= {key: rows[-1] for key, rows in (answer.get("values") or {}).items() if rows}
            position = answer.get("position")
            if not position:
                return found


def set_up(admin_port, name, inputs, upstream_port):
    """API, plan and keys in the order AWS's guide has; returns the host of the stage."""
    with_keys, with_body_check = RINGWAYS[name]
    admin = Admin(admin_port)
    api = admin.deploy(definition(upstream_port, with_keys, with_body_check))
    if with_keys:
        throttle = {"rateLimit": inputs.rate, "burstLimit": inputs.burst}
        plan = admin.plan("perf", api, throttle=throttle, quota={"limit": inputs.quota, "period": "DAY"})
        admin.import_keys(inputs.keys, plan)
    return f"{api}.execute-api.localhost"


# -- Access logs ----------------------------------------------------------------------------------


def count_lines(path):
    with path.open("rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))


def wait_for_lines(path, wanted, timeout_s=3.0):
    """Lines of the log once there are as many as wanted, or after that time: logs are written in batches."""
    deadline = time.monotonic() + timeout_s
    while (count := count_lines(path)) < wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    return count


def settle(path, quiet_s=1.2, timeout_s=10.0):
    """Waits until the log has not grown for a while: nginx writes what it holds once a second."""
    deadline = time.monotonic() + timeout_s
    size, since = -1, time.monotonic()
    while time.monotonic() < min(deadline, since + quiet_s):
        if (now := path.stat().st_size) != size:
            size, since = now, time.monotonic()
        time.sleep(0.1)


def check_log_line(path):
    """What is wrong with the log's last line, or `None`."""
    lines = path.read_text().splitlines()
    if not lines:
        return "no line was written"
    try:
        one = json.loads(lines[-1])
    except json.JSONDecodeError as error:
        return f"{lines[-1]!r} is no JSON: {error}"
    missing = [name for name in LOG_MEMBERS if one.get(name) in (None, "")]
    return f"{lines[-1]!r} lacks {', '.join(missing)}" if missing else None
