//! Real upstreams: nginx, and Python's asyncio.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::{Folder, wait_for};

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound socket").port()
}

/// An nginx with one `server` of the test's own.
#[derive(Debug)]
pub struct Nginx {
    master: Option<Child>,
    pub address: SocketAddr,
    folder: Folder,
    config: PathBuf,
}

impl Nginx {
    /// `server` is what stands in the server block besides `listen`; `listen` what follows the address
    /// there, like `ssl`.
    pub fn start(listen: &str, server: &str) -> Self {
        let folder = Folder::new();
        let port = free_port();
        let root = folder.file("").display().to_string();
        let config = folder.write("nginx.conf", &config(&root, port, listen, server));
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut nginx = Self { master: None, address, folder, config };
        nginx.run();
        nginx
    }

    /// Starts it (again) and waits until it answers.
    pub fn run(&mut self) {
        let log = self.folder.file("start.log");
        let errors = std::fs::File::create(&log).expect("a file for nginx's words");
        let mut master = Command::new(program("nginx"))
            .arg("-p")
            .arg(self.folder.file(""))
            .arg("-c")
            .arg(&self.config)
            .args(["-e", "stderr"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .expect("nginx (tests/run installs it)");
        wait_for("nginx", || {
            if let Some(status) = master.try_wait().expect("its status") {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                panic!("nginx ended with {status}: {said}");
            }
            TcpStream::connect(self.address).ok()
        });
        self.master = Some(master);
    }

    /// Kills it as a power cut would: no connection is closed well by nginx itself.
    pub fn kill(&mut self) {
        let Some(mut master) = self.master.take() else { return };
        let workers = children(master.id());
        let _ = master.kill();
        let _ = master.wait();
        for worker in workers {
            if let Some(pid) = i32::try_from(worker).ok().and_then(Pid::from_raw) {
                // It may have seen its master's end already.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        wait_for("the end of nginx's workers", || TcpStream::connect(self.address).err());
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.kill();
    }
}

fn children(parent: u32) -> Vec<u32> {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

fn config(root: &str, port: u16, listen: &str, server: &str) -> String {
    format!(
        "daemon off;
worker_processes 1;
pid {root}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/fastcgi;
    uwsgi_temp_path {root}/uwsgi;
    scgi_temp_path {root}/scgi;
    keepalive_requests 1000000;
    large_client_header_buffers 8 64k;
    client_max_body_size 0;
    server {{
        listen 127.0.0.1:{port} {listen};
        {server}
    }}
}}
"
    )
}

/// Debian keeps servers in `/usr/sbin`, which is not in everybody's `PATH`.
fn program(name: &str) -> PathBuf {
    let sbin = Path::new("/usr/sbin").join(name);
    if sbin.exists() { sbin } else { PathBuf::from(name) }
}

/// The Python server of `upstreams/echo.py`.
#[derive(Debug)]
pub struct Python {
    child: Child,
    pub address: SocketAddr,
}

impl Python {
    pub fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/upstreams/echo.py");
        let mut child = Command::new("python3")
            .arg(script)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 (tests/run installs it)");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("its port");
        let port: u16 = line.trim().parse().expect("its port");
        Self { child, address: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
