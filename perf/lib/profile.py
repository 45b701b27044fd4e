"""Profiles: what is measured and what is required of it, read from `perf/profiles/*.toml`."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

KINDS = ("closed", "keyed", "bulk", "open", "idle", "throttle", "deploys")
SERVICES = ("mock", "proxy", "big", "features", "plane")
# `ringway-calm` is the same Ringway, left alone while `ringway` is being redeployed. `floor` is no server: see perf/floor.
PEERS = (
    "ringway", "nginx", "haproxy", "pingora", "nginx-tuned", "nginx-lua", "ringway-plain", "ringway-unchecked",
    "ringway-calm", "floor",
)  # fmt: skip


class ProfileError(Exception):
    """A profile that says something this tool does not understand."""


@dataclass(frozen=True)
class Requirement:
    """One line of the verdict: a bound on a figure of Ringway, on a peer's figure over Ringway's, or on how
    much more one server (`of`) has than another (`less`). `aim` is printed and does not decide."""

    figure: str
    against: str | None = None
    min_ratio: float | None = None
    of: str = "ringway"
    less: str | None = None
    aim: float | None = None
    min: float | None = None
    max: float | None = None

    def text(self):
        if self.against:
            return f"{self.figure}: {self.against} / ringway >= {self.min_ratio:g}"
        bounds = ((">=", self.min), ("<=", self.max))
        text = " and ".join(f"{sign} {bound:g}" for sign, bound in bounds if bound is not None)
        what = f"{self.of} - {self.less}" if self.less else self.of
        return f"{self.figure}: {what} {text}" + (f", aim {self.aim:g}" if self.aim is not None else "")


@dataclass(frozen=True)
class Profile:
    """One kind of load against one kind of service. `kind` says which fields beyond the common ones count."""

    name: str
    title: str
    kind: str
    service: str
    figure: str
    peers: tuple[str, ...] = ("ringway", "nginx", "haproxy")
    path: str = "/dev/"
    connections: int = 64
    pipeline: int = 1
    close: bool = False
    direction: str = "down"
    body_bytes: int = 100
    rate_share: float = 0.5
    rate: int = 0
    burst: int = 0
    overload: float = 3.0
    deploys_per_s: float = 10.0
    seconds: float | None = None
    rounds: int | None = None
    shards: int = 1
    ringway_args: tuple[str, ...] = ()
    require: tuple[Requirement, ...] = field(default=())

    @property
    def informative(self):
        return not self.require


def load(path):
    """Reads one profile.

    Raises `ProfileError` with the file and the field that is wrong.
    """
    try:
        data = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ProfileError(f"{path}: {error}") from error
    requirements = data.pop("require", [])
    for name in ("peers", "ringway_args"):
        if name in data:
            data[name] = tuple(data[name])
    try:
        profile = Profile(
            name=path.stem, **data, require=tuple(Requirement(**requirement) for requirement in requirements)
        )
    except TypeError as error:
        raise ProfileError(f"{path}: {str(error).partition('() ')[2]}") from error
    for name, value, known in (("kind", profile.kind, KINDS), ("service", profile.service, SERVICES)):
        if value not in known:
            raise ProfileError(f"{path}: {name} = {value!r} is none of {', '.join(known)}")
    for peer in profile.peers:
        if peer not in PEERS:
            raise ProfileError(f"{path}: peer {peer!r} is none of {', '.join(PEERS)}")
    for requirement in profile.require:
        for peer in (requirement.of, requirement.less, requirement.against):
            if peer is not None and peer not in profile.peers:
                raise ProfileError(f"{path}: a requirement names {peer!r}, which is none of the profile's peers")
    return profile


def load_all(folder: Path):
    """All profiles by name, in the order of their names."""
    return {path.stem: load(path) for path in sorted(folder.glob("*.toml"))}
