//! How many shards, and on which CPUs: one per CPU the process may use.
//!
//! The affinity mask says which CPUs, the cgroup's quota (v2 `cpu.max`, v1 `cpu.cfs_quota_us`) how
//! much of them. A quota of 1.5 CPUs gives two shards: rounded up, since a shard that waits costs
//! nothing, and a missing one leaves half a CPU unused.

use std::path::Path;

use rustix::thread::{CpuSet, sched_getaffinity};

/// Where the shards run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardPlan {
    /// For every shard the CPU it is pinned to; `None`: the mask is unknown, so it is not pinned.
    pub cpus: Vec<Option<usize>>,
    /// How the number came about, for the start-up line.
    pub reason: String,
}

/// Decides from the process's affinity mask and its cgroups, or from `--shards`.
pub fn plan(shards: Option<usize>) -> ShardPlan {
    let mask = allowed_cpus();
    let memberships = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let quota = quota_of(&memberships, Path::new("/sys/fs/cgroup"));
    plan_from(shards, &mask, quota)
}

fn plan_from(shards: Option<usize>, mask: &[usize], quota: Option<f64>) -> ShardPlan {
    let allowed = mask.len().max(1);
    let (count, reason) = match (shards, quota) {
        (Some(count), _) => (count.max(1), "--shards".to_owned()),
        (None, Some(quota)) if (quota.ceil() as usize) < allowed => (
            (quota.ceil() as usize).max(1),
            format!("the cgroup's quota of {quota:.2} CPUs, rounded up"),
        ),
        (None, _) => (allowed, "the CPUs this process may use".to_owned()),
    };
    let cpus = (0..count)
        .map(|index| if mask.is_empty() { None } else { Some(mask[index % mask.len()]) })
        .collect();
    ShardPlan { cpus, reason }
}

/// CPUs of the affinity mask, ascending; empty if the kernel does not tell.
fn allowed_cpus() -> Vec<usize> {
    match sched_getaffinity(None) {
        Ok(set) => (0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).collect(),
        Err(_) => Vec::new(),
    }
}

/// The smallest quota of the process's cgroups and their ancestors, in CPUs; `None`: no quota.
///
/// `memberships` is `/proc/self/cgroup`: `0::/path` for v2, `3:cpu,cpuacct:/path` for v1. In a
/// container without a cgroup namespace that path is the host's and does not exist below the mount;
/// its ancestors are tried up to the mount itself, so that the container's own quota is found.
fn quota_of(memberships: &str, mount: &Path) -> Option<f64> {
    let mut smallest: Option<f64> = None;
    for line in memberships.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let v2 = controllers.is_empty();
        if !v2 && !controllers.split(',').any(|controller| controller == "cpu") {
            continue;
        }
        let roots = if v2 {
            vec![mount.to_owned(), mount.join("unified")]
        } else {
            vec![mount.join(controllers), mount.join("cpu")]
        };
        let relative = Path::new(path.trim_start_matches('/'));
        for directory in
            roots.iter().flat_map(|root| relative.ancestors().map(|part| root.join(part)))
        {
            let quota = if v2 { quota_v2(&directory) } else { quota_v1(&directory) };
            if let Some(quota) = quota {
                smallest = Some(smallest.map_or(quota, |other| other.min(quota)));
            }
        }
    }
    smallest
}

fn quota_v2(directory: &Path) -> Option<f64> {
    parse_cpu_max(&std::fs::read_to_string(directory.join("cpu.max")).ok()?)
}

/// Reads `150000 100000` or `max 100000`: microseconds of CPU time per period of so many microseconds.
fn parse_cpu_max(text: &str) -> Option<f64> {
    let mut words = text.split_ascii_whitespace();
    cpus(words.next()?, words.next().unwrap_or("100000"))
}

fn quota_v1(directory: &Path) -> Option<f64> {
    let quota = std::fs::read_to_string(directory.join("cpu.cfs_quota_us")).ok()?;
    let period = std::fs::read_to_string(directory.join("cpu.cfs_period_us")).ok()?;
    cpus(quota.trim(), period.trim())
}

/// Quota over period; `None` for `max`, `-1` (v1's word for none) and whatever is no number.
fn cpus(quota: &str, period: &str) -> Option<f64> {
    let quota: u64 = quota.parse().ok()?;
    let period: u64 = period.parse().ok().filter(|&period| period > 0)?;
    Some(quota as f64 / period as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_read_as_both_cgroup_versions_write_them() {
        for (text, want) in [
            ("150000 100000\n", Some(1.5)),
            ("max 100000\n", None),
            ("50000\n", Some(0.5)),
            ("200000 0\n", None),
            ("", None),
            ("nonsense 100000", None),
        ] {
            assert_eq!(parse_cpu_max(text), want, "{text:?}");
        }
        assert_eq!(cpus("-1", "100000"), None);
        assert_eq!(cpus("300000", "100000"), Some(3.0));
    }

    #[test]
    fn the_smallest_quota_up_to_the_mount_counts() {
        let mount = std::env::temp_dir().join(format!("ringway-cgroup-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let file = mount.join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        write("a/cpu.max", "400000 100000");
        write("a/b/cpu.max", "max 100000");
        write("cpu,cpuacct/docker/x/cpu.cfs_quota_us", "-1");
        write("cpu,cpuacct/docker/x/cpu.cfs_period_us", "100000");
        write("cpu,cpuacct/cpu.cfs_quota_us", "250000");
        write("cpu,cpuacct/cpu.cfs_period_us", "100000");
        for (memberships, want) in [
            ("0::/a/b\n", Some(4.0)),
            ("0::/\n", None),
            ("0::/gone/from/here\n", None),
            ("5:cpu,cpuacct:/docker/x\n0::/\n", Some(2.5)),
            ("5:cpu,cpuacct:/not/in/this/mount\n", Some(2.5)),
            ("4:memory:/docker/x\n", None),
            ("garbage", None),
        ] {
            assert_eq!(quota_of(memberships, &mount), want, "{memberships:?}");
        }
        std::fs::remove_dir_all(&mount).unwrap();
    }

    #[test]
    fn shards_follow_the_mask_the_quota_and_the_flag() {
        for (flag, mask, quota, want) in [
            (None, &[0, 1, 2, 3][..], None, &[Some(0), Some(1), Some(2), Some(3)][..]),
            (None, &[2, 5], None, &[Some(2), Some(5)]),
            (None, &[0, 1, 2, 3], Some(1.5), &[Some(0), Some(1)]),
            (None, &[0, 1], Some(0.1), &[Some(0)]),
            (None, &[0, 1], Some(8.0), &[Some(0), Some(1)]),
            (Some(3), &[4, 6], Some(1.0), &[Some(4), Some(6), Some(4)]),
            (None, &[], None, &[None]),
        ] {
            assert_eq!(plan_from(flag, mask, quota).cpus, want, "{flag:?} {mask:?} {quota:?}");
        }
    }
}
