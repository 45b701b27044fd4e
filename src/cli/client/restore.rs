//! `ringway restore FILE`: a backup takes the place of all that a store has.

use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Read, Seek};
use std::path::PathBuf;

use aws_lc_rs::digest::{Context, SHA256};
use clap::Args;
use serde_json::json;

use super::super::{Failure, complain};
use super::ClientArgs;
use super::admin::{Admin, Body};
use super::apis;
use super::settings::Settings;
use crate::store;

/// Flags of `ringway restore`.
#[derive(Debug, Args)]
pub(in super::super) struct RestoreArgs {
    /// A backup of `ringway backup`
    file: PathBuf,

    /// Restore the store on this machine (--store), which no gateway may be using
    #[arg(long)]
    offline: bool,

    /// Ask nothing
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    client: ClientArgs,
}

pub(in super::super) fn run(args: &RestoreArgs) -> Result<(), Failure> {
    if args.offline { offline(args) } else { online(args) }
}

/// Has a gateway restore its store while it serves.
fn online(args: &RestoreArgs) -> Result<(), Failure> {
    let unreadable =
        |error: io::Error| Failure::Failed(format!("{}: {error}", args.file.display()));
    let mut file = File::open(&args.file).map_err(unreadable)?;
    let hash = sha256(&mut file).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    let admin = args.client.connect()?;
    let before = count(&admin)?;
    confirm(args, &format!("{before} of {}", admin.url()))?;
    admin.send("PUT", "/_ringway/restore", &Body::File(&file, hash))?;
    let after = count(&admin)?;
    let status = json!({ "restored": args.file.display().to_string() });
    args.client.show(&status, || format!("restored and served: {after}\n"));
    Ok(())
}

fn count(admin: &Admin) -> Result<String, Failure> {
    let apis = apis::of_status(&admin.get("/_ringway/status")?);
    let stages = apis.iter().map(|api| api.stages.len()).sum();
    let plural = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    Ok(format!("{} with {}", plural(apis.len(), "API"), plural(stages, "stage")))
}

/// Replaces the file of a store that is not in use.
fn offline(args: &RestoreArgs) -> Result<(), Failure> {
    let directory = Settings::of(&args.client)?.store;
    confirm(args, &format!("all of the store {}", directory.display()))?;
    let kept = store::restore(&args.file, &directory)
        .map_err(|error| Failure::Failed(error.to_string()))?;
    let kept = kept.map(|path| path.display().to_string());
    let shown = directory.display().to_string();
    args.client.show(&json!({ "store": shown, "previous": kept }), || match &kept {
        None => format!("restored: {shown}\n"),
        Some(kept) => format!("restored: {shown}\nwhat was there before is kept: {kept}\n"),
    });
    Ok(())
}

/// Asks whether `what` is to go.
fn confirm(args: &RestoreArgs, what: &str) -> Result<(), Failure> {
    if args.yes {
        return Ok(());
    }
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Err(Failure::Usage(
            "there is no terminal to ask on whether all is to be replaced: say --yes".to_owned(),
        ));
    }
    let question = format!("{} replaces {what}. Go on? [y/N] ", args.file.display());
    complain(&question);
    let mut answer = String::new();
    let read = stdin.lock().read_line(&mut answer);
    if read.is_ok() && is_yes(&answer) {
        return Ok(());
    }
    Err(Failure::Failed("nothing was changed".to_owned()))
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

fn sha256(file: &mut File) -> io::Result<[u8; 32]> {
    let mut context = Context::new(&SHA256);
    let mut piece = vec![0; 64 << 10];
    loop {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => context.update(&piece[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for (answer, want) in
            [("y\n", true), (" YES \n", true), ("\n", false), ("n\n", false), ("", false)]
        {
            assert_eq!(is_yes(answer), want, "{answer:?}");
        }
    }
}
