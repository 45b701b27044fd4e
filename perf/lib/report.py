"""Results as text, Markdown and JSON."""

import json
import statistics

from . import rounds

COLUMNS = {
    "closed": (("cpu_us_per_request", "CPU us/request"), ("requests_per_s", "requests/s"), ("p50_us", "p50 us"),
               ("p99_us", "p99 us"), ("p999_us", "p99.9 us")),
    "keyed": (("cpu_us_per_request", "CPU us/request"), ("requests_per_s", "requests/s"), ("p50_us", "p50 us"),
              ("p99_us", "p99 us"), ("p999_us", "p99.9 us")),
    "bulk": (("cpu_ms_per_gib", "CPU ms/GiB"), ("gib_per_s", "GiB/s")),
    "open": (("p50_us", "p50 us"), ("p99_us", "p99 us"), ("p999_us", "p99.9 us"), ("requests_per_s", "requests/s"),
             ("cpu_us_per_request", "CPU us/request")),
    "idle": (("bytes_per_connection", "bytes/connection"), ("pss_bytes_per_connection", "Pss bytes/connection"),
             ("bytes_kept_per_connection", "kept after close")),
    "deploys": (("deploys", "deployments"), ("deploy_ms", "ms each"), ("p50_us", "p50 us"), ("p99_us", "p99 us"),
                ("p999_us", "p99.9 us"), ("requests_per_s", "requests/s"), ("cpu_us_per_request", "CPU us/request")),
    "throttle": (("admitted", "admitted"), ("allowed", "rate x time + burst"), ("admitted_share", "share"),
                 ("offered_per_s", "offered/s")),
}  # fmt: skip


def table(profile, summary, markdown=False):
    """One profile: a row per peer, then the verdicts."""
    columns = COLUMNS[profile.kind]
    base = summary["base"]
    with_ratio = len(summary["medians"]) > 1
    head = ["", *(title for _key, title in columns)]
    if with_ratio:
        head.append(f"{profile.figure} / {base} (quartiles)")
    rows = []
    for name, medians in summary["medians"].items():
        row = [name, *(number(medians[key]) for key, _title in columns)]
        if with_ratio:
            spread = summary["ratios"].get(name, {}).get(profile.figure)
            row.append(f"{spread['median']:.2f} ({spread['low']:.2f}..{spread['high']:.2f})" if spread else "")
        rows.append(row)
    lines = [f"\n### {profile.name}: {profile.title}" if markdown else f"\n{profile.name}: {profile.title}"]
    lines += [""] if markdown else []
    lines += _markdown(head, rows) if markdown else _aligned(head, rows)
    lines += [""] if markdown else []
    foreign = max(medians["foreign_percent"] for medians in summary["medians"].values())
    note = f"{summary['clean_rounds']} of {summary['rounds']} rounds without steal"
    if foreign >= 5:
        note += f"; others used {foreign:.0f}% of the server's core"
    lines.append(("" if markdown else "  ") + note)
    for verdict in summary["verdicts"]:
        if verdict["value"] is None:
            continue
        mark = "- " if markdown else "  "
        spread = verdict.get("spread")
        quartiles = f", quartiles {spread['low']:.3g}..{spread['high']:.3g}" if spread else ""
        floor = f"; the floor reaches {verdict['floor']:.3g}" if verdict.get("floor") else ""
        is_now = f"is {verdict['value']:.3g}{quartiles}{floor}"
        lines.append(f"{mark}{verdict['verdict']}: {verdict['requirement']} ({is_now})")
    return "\n".join(lines)


def number(value):
    """Three digits that count, and no more."""
    if value >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 20 else f"{value:.2f}"


def _markdown(head, rows):
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] + ["---:"] * (len(head) - 1), *rows)]


def _aligned(head, rows):
    widths = [max(len(row[index]) for row in (head, *rows)) for index in range(len(head))]
    return [
        "  " + "  ".join(cell.ljust(width) if index == 0 else cell.rjust(width)
                         for index, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in (head, *rows)
    ]  # fmt: skip


def save(path, document):
    """Everything, raw figures included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")


def pairs(names, done):
    """What `perf/pair` prints: medians, and what each has over the first in the same round. `done` has a list of
    figures for each round, in the order of the names."""
    lines = [f"{'':20} {'us/request':>10}  over the first, us (quartiles)    ratio (quartiles)"]
    for place, name in enumerate(names):
        line = f"{name:20} {statistics.median(one[place] for one in done):10.2f}"
        if place > 0:
            over = rounds.spread([one[place] - one[0] for one in done])
            ratio = rounds.spread([one[place] / one[0] for one in done])
            line += "  " + "{median:+.2f} ({low:+.2f}..{high:+.2f})".format(**over).ljust(33)
            line += "{median:.3f} ({low:.3f}..{high:.3f})".format(**ratio)
        lines.append(line)
    return "\n".join(lines)
