"""What the kernel says: CPU time and memory of processes, steal, and what machine this is."""

import os
import platform
import subprocess
import time
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def choose_cpus():
    """The core of the server and the core of everything that loads it; the same one if there is no other."""
    cpus = sorted(os.sched_getaffinity(0))
    return cpus[0], cpus[1 % len(cpus)]


def process_tree(pid):
    """The process and all its descendants, as far as they are alive."""
    found, queue = [], [pid]
    while queue:
        current = queue.pop()
        found.append(current)
        for task in Path(f"/proc/{current}/task").glob("*"):
            try:
                queue += [int(child) for child in (task / "children").read_text().split()]
            except OSError:
                continue
    return found


def cpu_ns(pids):
    """CPU time of all threads of these processes, user and kernel, in nanoseconds.

    schedstat counts nanoseconds; where the kernel lacks it, utime + stime count ticks of 10 ms.
    """
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*"):
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except FileNotFoundError:
                total += _cpu_ns_by_ticks(task)
            except (ProcessLookupError, IndexError):
                continue
    return total


def _cpu_ns_by_ticks(task):
    try:
        fields = (task / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) * 1_000_000_000 // TICKS_PER_SECOND


def memory_bytes(pids):
    """User memory of these processes: anonymous resident pages, and the proportional set size."""
    anonymous = proportional = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                anonymous += int(line.split()[1]) * 1024
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                proportional += int(line.split()[1]) * 1024
    return {"rss_anon": anonymous, "pss": proportional}


class CpuWatch:
    """Shares of CPU time between two moments, for a few cores."""

    def __init__(self, cpus):
        self.cpus = sorted(set(cpus))
        self.before = self._read()

    def _read(self):
        rows = {}
        for line in Path("/proc/stat").read_text().splitlines():
            name, *fields = line.split()
            if name.startswith("cpu") and name != "cpu":
                ticks = [int(field) for field in fields[:8]]
                idle = ticks[3] + ticks[4]
                rows[int(name[3:])] = {"all": sum(ticks), "busy": sum(ticks) - idle - ticks[7], "steal": ticks[7]}
        return rows

    def steal_percent(self):
        """The share the hypervisor took, of the core that lost most."""
        after, worst = self._read(), 0.0
        for cpu in self.cpus:
            whole = after[cpu]["all"] - self.before[cpu]["all"]
            if whole > 0:
                worst = max(worst, 100.0 * (after[cpu]["steal"] - self.before[cpu]["steal"]) / whole)
        return worst

    def foreign_percent(self, cpu, own_ns):
        """The share of `cpu` that somebody other than the process with `own_ns` used."""
        after = self._read()
        whole = after[cpu]["all"] - self.before[cpu]["all"]
        busy = after[cpu]["busy"] - self.before[cpu]["busy"]
        own = own_ns * TICKS_PER_SECOND / 1_000_000_000
        return max(0.0, 100.0 * (busy - own) / whole) if whole > 0 else 0.0


def describe(root):
    """Commit, kernel, CPU and date: what a figure means nothing without."""

    def git(*arguments):
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": git("rev-parse", "--short=12", "HEAD") or "unknown",
        "uncommitted_changes": bool(git("status", "--porcelain", "--untracked-files=no")),
        "kernel": platform.release(),
        "cpu": model,
        "cpus": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
    }
