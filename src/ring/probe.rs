//! Whether this machine's io_uring can do what a shard needs, and in one sentence what to do if not.

use std::fmt;
use std::os::fd::AsRawFd;

use io_uring::{IoUring, Probe, opcode, squeue, types};

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
    if !missing.is_empty() {
        return Err(ProbeError(format!(
            "this kernel's io_uring ({release}) lacks {}; Ringway needs Linux 6.1 or newer",
            missing.join(", ")
        )));
    }
    match tells_of_posts(ring) {
        Ok(true) => Ok(KernelReport { release }),
        Ok(false) => Err(ProbeError(format!(
            "this kernel's io_uring ({release}) waits for room although MSG_DONTWAIT is set, unlike Linux \
             6.1 to 6.18; please report it"
        ))),
        Err(error) => Err(explain(&error)),
    }
}

/// Whether a send that must not wait, and whose success is not told, is told at once when it finds no
/// room: posted sends count on that (`turn/post.rs`).
fn tells_of_posts(mut ring: IoUring) -> std::io::Result<bool> {
    static BYTES: [u8; 4_096] = [0; 4_096];
    let flags = libc::MSG_DONTWAIT | libc::MSG_WAITALL | libc::MSG_NOSIGNAL;
    let (ours, _theirs) = std::os::unix::net::UnixStream::pair()?;
    let send = opcode::Send::new(types::Fd(ours.as_raw_fd()), BYTES.as_ptr(), BYTES.len() as u32)
        .flags(flags)
        .build()
        .flags(squeue::Flags::SKIP_SUCCESS);
    // As many as a socket can ever hold.
    for _ in 0..100_000 {
        // SAFETY: the bytes are never freed, and the socket outlives the send, which does not wait.
        unsafe { ring.submission().push(&send) }
            .map_err(|_| std::io::Error::from(std::io::ErrorKind::StorageFull))?;
        ring.submit()?;
        if let Some(cqe) = ring.completion().next() {
            return Ok(cqe.result() < BYTES.len() as i32);
        }
        // No success is told: nothing there means that it was sent, unless it waits now.
        if rustix::net::send(&ours, &[], rustix::net::SendFlags::DONTWAIT).is_err() {
            return Ok(false);
        }
    }
    Ok(false)
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
