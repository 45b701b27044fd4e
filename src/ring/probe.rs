//! Whether this machine's io_uring can do what a shard needs, and in one sentence what to do if not.

use std::fmt;

use io_uring::{IoUring, Probe, opcode};

use crate::limits::RING_CQ_ENTRIES;

/// What the probe found.
#[derive(Clone, Debug)]
pub struct KernelReport {
    /// `uname -r`.
    pub release: String,
}

/// Why shards cannot run here. Its text is a sentence with the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeError(String);

impl fmt::Display for ProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ProbeError {}

/// Sets up a small ring as shards do and asks for every op they use.
///
/// # Errors
/// io_uring is missing, forbidden, or too old.
pub fn probe() -> Result<KernelReport, ProbeError> {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let disabled = std::fs::read_to_string("/proc/sys/kernel/io_uring_disabled").ok();
    let explain =
        |error: &std::io::Error| ProbeError(explain(error, &release, disabled.as_deref()));
    let ring: IoUring = IoUring::builder()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_coop_taskrun()
        .setup_submit_all()
        .setup_cqsize(RING_CQ_ENTRIES)
        .build(8)
        .map_err(|error| explain(&error))?;
    let mut ops = Probe::new();
    ring.submitter().register_probe(&mut ops).map_err(|error| explain(&error))?;
    let needed = [
        ("accept", opcode::AcceptMulti::CODE),
        ("recv", opcode::Recv::CODE),
        ("send", opcode::Send::CODE),
        ("sendmsg", opcode::SendMsg::CODE),
        ("connect", opcode::Connect::CODE),
        ("shutdown", opcode::Shutdown::CODE),
        ("poll", opcode::PollAdd::CODE),
        ("close", opcode::Close::CODE),
        ("cancel", opcode::AsyncCancel::CODE),
    ];
    let missing: Vec<&str> = needed
        .iter()
        .filter(|&&(_, code)| !ops.is_supported(code))
        .map(|&(name, _)| name)
        .collect();
    if missing.is_empty() {
        return Ok(KernelReport { release });
    }
    Err(ProbeError(format!(
        "this kernel's io_uring ({release}) lacks {}; Ringway needs Linux 6.1 or newer",
        missing.join(", ")
    )))
}

fn explain(error: &std::io::Error, release: &str, disabled: Option<&str>) -> String {
    match (error.raw_os_error(), disabled.map(str::trim)) {
        (Some(libc::EPERM), Some(level @ ("1" | "2"))) => format!(
            "io_uring is forbidden here: kernel.io_uring_disabled is {level}; \
             run `sysctl kernel.io_uring_disabled=0` as root"
        ),
        (Some(libc::EPERM | libc::EACCES), _) => {
            "io_uring is forbidden here, probably by a container's seccomp profile; allow the system \
             calls io_uring_setup, io_uring_enter and io_uring_register (Docker: --security-opt \
             seccomp=PROFILE with those three)"
                .to_owned()
        }
        (Some(libc::ENOSYS), _) => format!(
            "this kernel ({release}) was built without io_uring, or a sandbox hides it; Ringway needs \
             Linux 6.1 or newer with CONFIG_IO_URING"
        ),
        (Some(libc::EINVAL), _) => format!(
            "this kernel's io_uring ({release}) is too old: SINGLE_ISSUER and DEFER_TASKRUN are missing; \
             Ringway needs Linux 6.1 or newer"
        ),
        (Some(libc::ENOMEM), _) => {
            "io_uring may not lock enough memory; raise RLIMIT_MEMLOCK (`ulimit -l unlimited`, systemd: \
             LimitMEMLOCK=infinity)"
                .to_owned()
        }
        (Some(libc::EMFILE | libc::ENFILE), _) => {
            "no file descriptor is left for io_uring; raise RLIMIT_NOFILE (`ulimit -n 65536`, systemd: \
             LimitNOFILE=65536)"
                .to_owned()
        }
        _ => format!("io_uring could not be set up on this kernel ({release}): {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_is_told_with_its_remedy() {
        for (errno, disabled, says) in [
            (libc::EPERM, Some("2\n"), "kernel.io_uring_disabled is 2"),
            (libc::EPERM, Some("0\n"), "seccomp"),
            (libc::ENOSYS, None, "CONFIG_IO_URING"),
            (libc::EINVAL, None, "too old"),
            (libc::ENOMEM, None, "RLIMIT_MEMLOCK"),
            (libc::EMFILE, None, "RLIMIT_NOFILE"),
            (libc::EIO, None, "could not be set up"),
        ] {
            let text = explain(&std::io::Error::from_raw_os_error(errno), "6.1.0", disabled);
            assert!(text.contains(says), "{errno}: {text}");
        }
    }
}
