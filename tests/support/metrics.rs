//! What the admin port tells.

use std::net::SocketAddr;

use super::client::{Answer, Client};

/// A scrape of `/metrics`.
#[derive(Clone, Debug)]
pub struct Metrics(pub String);

impl Metrics {
    pub fn of(admin: SocketAddr) -> Self {
        let answer = admin_get(admin, "/metrics");
        assert_eq!(answer.status, 200, "{answer:?}");
        Self(answer.text().to_owned())
    }

    /// Sum of the series of `name` that have all of `labels`, written `key="value"`.
    pub fn sum(&self, name: &str, labels: &[&str]) -> f64 {
        let series = self.0.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let (series_name, rest) = series.split_once('{').unwrap_or((series, ""));
            let fits = series_name == name && labels.iter().all(|label| rest.contains(label));
            fits.then(|| value.parse::<f64>().unwrap_or_else(|_| panic!("no number: {line}")))
        });
        series.sum()
    }

    /// The same over all series.
    pub fn total(&self, name: &str) -> f64 {
        self.sum(name, &[])
    }
}

pub fn admin_get(admin: SocketAddr, path: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n");
    Client::connect(admin).asks(request)
}
