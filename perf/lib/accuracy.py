"""What was admitted of each key, held against what may be: the judging half of `perf/usage-accuracy`."""

from dataclasses import dataclass

# A hot key is offered so many times what it may, a cold one so much of it.
HOT_TIMES, COLD_TIMES = 3.0, 0.1
SHARE_MIN = 0.99
TOLD_MAX = 10


@dataclass(frozen=True)
class Row:
    """A line of perf-load's tally. Times are nanoseconds since the start."""

    ok: int
    throttled: int
    exceeded: int
    other: int
    first_sent_ns: int
    last_sent_ns: int
    first_answer_ns: int
    last_answer_ns: int


def offered(keys, hot_keys, rate, seconds):
    """Requests a second of all keys, the share of draws that is among hot keys only, and a quota that a hot
    key reaches after a third of the time and a cold one never."""
    hot, cold = hot_keys * rate * HOT_TIMES, (keys - hot_keys) * rate * COLD_TIMES
    whole = hot + cold
    # The other draws are among all keys, the hot ones included.
    share = 1 - cold / whole * keys / (keys - hot_keys)
    return {"rate": whole, "hot_share": share, "quota": max(1, round(rate * seconds))}


def read(path):
    rows = {}
    for line in path.read_text().splitlines():
        index, *counts = map(int, line.split())
        rows[index] = Row(*counts)
    return rows


def judge_throttle(rows, rate, burst, hot_keys):
    """Every key against rate x time + burst."""
    mistakes, shares, over = [], [], 0.0
    for index, row in rows.items():
        most = rate * (row.last_answer_ns - row.first_sent_ns) / 1e9 + burst
        over = max(over, row.ok / most)
        if row.ok > most:
            mistakes.append(f"key {index}: {row.ok} admitted, at most {most:.1f} may be")
        if row.exceeded or row.other:
            mistakes.append(f"key {index}: {row.exceeded} refused by a quota, {row.other} other answers")
        if index < hot_keys:
            least = rate * (row.last_sent_ns - row.first_answer_ns) / 1e9 + burst
            shares.append(row.ok / least)
            # A token that is not whole yet at the end is nobody's.
            if row.ok < SHARE_MIN * least - 1:
                mistakes.append(f"hot key {index}: {row.ok} of {least:.1f} admitted")
    cold = [row for index, row in rows.items() if index >= hot_keys]
    return {
        "keys": len(rows),
        "admitted": sum(row.ok for row in rows.values()),
        "refused": sum(row.throttled for row in rows.values()),
        "hot_share_min": min(shares, default=0.0),
        "hot_share_max": max(shares, default=0.0),
        "share_of_bound_max": over,
        "cold_refused": sum(row.throttled for row in cold),
        "mistakes": _some(mistakes),
    }


def judge_quota(rows, quota, used, before):
    """Every key against what it was offered and its quota, and against what is stored. `before`: what was
    used of a key earlier."""
    mistakes, full = [], 0
    for index, row in rows.items():
        sent = row.ok + row.throttled + row.exceeded + row.other
        left = quota - before.get(index, 0)
        full += row.exceeded > 0
        if row.ok != min(sent, left):
            mistakes.append(f"key {index}: {row.ok} of {sent} admitted, {min(sent, left)} have to be")
        if row.throttled or row.other:
            mistakes.append(f"key {index}: {row.throttled} refused by a throttle, {row.other} other answers")
        stored, wanted = used.get(index, 0), row.ok + before.get(index, 0)
        if stored != wanted:
            mistakes.append(f"key {index}: {wanted} used, {stored} stored")
    return {
        "keys": len(rows),
        "quota": quota,
        "admitted": sum(row.ok for row in rows.values()),
        "refused": sum(row.exceeded for row in rows.values()),
        "keys_at_quota": full,
        "mistakes": _some(mistakes),
    }


def _some(mistakes):
    more = len(mistakes) - TOLD_MAX
    return mistakes[:TOLD_MAX] + ([f"and {more} more"] if more > 0 else [])


def table(document):
    """The figures as text that can be put into docs/performance.md as it is."""
    throttle, quota = document["parts"]["throttle"], document["parts"]["quota"]
    about = document["machine"]
    rows = [
        ("admitted, refused", f"{throttle['admitted']}, {throttle['refused']}", f"{quota['admitted']}, {quota['refused']}"),
        ("keys", f"{throttle['keys']}", f"{quota['keys']}, {quota['keys_at_quota']} reached {quota['quota']}"),
        ("hot keys, share of rate x time + burst",
         f"{throttle['hot_share_min']:.4f} to {throttle['hot_share_max']:.4f}", ""),
        ("all keys, highest share of the bound", f"{throttle['share_of_bound_max']:.4f}", ""),
        ("cold keys refused", f"{throttle['cold_refused']}", ""),
    ]  # fmt: skip
    lines = [
        f"commit {about['commit']}, {about['date']}; {document['shards']} shards, {document['seconds']:g} s each, "
        f"{throttle['offered_per_s']:.0f} requests/s offered", "",
        "| | throttle | quota |", "|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows), "",
    ]  # fmt: skip
    lines += [f"- FAIL: {mistake}" for mistake in document["mistakes"]] or ["- PASS: no key above its bounds, no hot key short, quota and stored usage exact"]
    return "\n".join(lines)
