//! The command line: one file per subcommand.
//!
//! Results go to standard output, messages to standard error. Exit status 0: fine, 1: the work failed,
//! 2: wrong usage.

mod args;
mod check;
mod client;
mod config;
mod limits;
mod run;
mod serve;
mod table;
mod vtl;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// An API gateway on io_uring that runs Amazon API Gateway definitions unchanged.
#[derive(Debug, Parser)]
#[command(name = "ringway", version, arg_required_else_help = true, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve one OpenAPI file now, and again whenever it changes.
    Run(run::RunArgs),
    /// Serve what a store has, managed over the admin port as AWS's API Gateway is.
    Serve(serve::ServeArgs),
    /// Say everything that is wrong or not carried out yet in a definition.
    Check(check::CheckArgs),
    /// Make an API of an OpenAPI file, or bring it up to date, and serve it on a stage.
    Deploy(client::deploy::DeployArgs),
    /// Take a stage back to a deployment that it had before.
    Rollback(client::rollback::RollbackArgs),
    /// List an API's deployments and the stages that serve them.
    History(client::history::HistoryArgs),
    /// Give all requests of a stage to its canary's deployment, and end the canary.
    Promote(client::promote::PromoteArgs),
    /// End a stage's canary; the stage's own deployment gets all requests again.
    Abort(client::abort::AbortArgs),
    /// Make API keys, import, list, enable, disable, delete and export them.
    Keys(client::keys::KeysArgs),
    /// Make usage plans, and say what their keys may call, how often and how much.
    Plans(client::plans::PlansArgs),
    /// Say what the keys of a usage plan have used and have left; `grant` gives more.
    Usage(client::usage::UsageArgs),
    /// Say what a gateway is and serves.
    Status(client::status::StatusArgs),
    /// Copy the store of a gateway that serves to a file.
    Backup(client::backup::BackupArgs),
    /// Put a backup in the place of all that a store has.
    Restore(client::restore::RestoreArgs),
    /// Print the configuration that `ringway serve` would run with, and where each value came from.
    Config(config::ShowArgs),
    /// Print every limit with its value, meaning and source.
    Limits(limits::LimitsArgs),
    /// Render a mapping template with a given request.
    Vtl(vtl::VtlArgs),
}

/// What keeps a command from doing its work.
#[derive(Debug)]
enum Failure {
    /// The flags make no sense: exit status 2.
    Usage(String),
    /// The work failed, and this is why: exit status 1.
    Failed(String),
    /// The work failed, and all was said: exit status 1.
    Told,
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are results and end well. A closed output cannot be told.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    let outcome = match cli.command {
        Command::Run(args) => {
            trace_to_stderr();
            run::run(args)
        }
        Command::Serve(args) => {
            trace_to_stderr();
            serve::run(&args)
        }
        Command::Check(args) => check::run(&args),
        Command::Deploy(args) => client::deploy::run(&args),
        Command::Rollback(args) => client::rollback::run(&args),
        Command::History(args) => client::history::run(&args),
        Command::Promote(args) => client::promote::run(&args),
        Command::Abort(args) => client::abort::run(&args),
        Command::Keys(args) => client::keys::run(&args),
        Command::Plans(args) => client::plans::run(&args),
        Command::Usage(args) => client::usage::run(&args),
        Command::Status(args) => client::status::run(&args),
        Command::Backup(args) => client::backup::run(&args),
        Command::Restore(args) => client::restore::run(&args),
        Command::Config(args) => config::run(&args),
        Command::Limits(args) => limits::run(&args),
        Command::Vtl(args) => vtl::run(args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Failed(why)) => {
            complain(&format!("error: {why}\n"));
            ExitCode::FAILURE
        }
        Err(Failure::Told) => ExitCode::FAILURE,
        Err(Failure::Usage(why)) => {
            let _ =
                writeln!(std::io::stderr(), "error: {why}\n\nFor more information, try '--help'.");
            ExitCode::from(2)
        }
    }
}

/// Sends the process's own messages to standard error; `RINGWAY_LOG` filters them as `RUST_LOG` does
/// elsewhere.
fn trace_to_stderr() {
    const DEFAULT: &str = "info,hickory_resolver=error,hickory_net=error,hickory_proto=error";
    let filter = EnvFilter::try_from_env("RINGWAY_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    tracing_subscriber::fmt()
        .compact()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
}

/// Writes a message to standard error; where that is closed there is nobody to tell.
fn complain(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Prints a result; a reader that went away (`| head`) is no failure.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wrong_flags_are_refused_with_what_would_be_right() {
        for (line, says) in [
            ("run", "<FILE>"),
            ("run a.yaml --shards 0", "--shards"),
            ("run a.yaml --listen 8080", "has no port"),
            ("run a.yaml --admin nowhere", "has no port"),
            ("run a.yaml --var x", "NAME=VALUE"),
            ("run a.yaml --stage a/b", "letters, digits"),
            ("run a.yaml --account-throttle 10", "RATE:BURST"),
            ("run a.yaml --limit payload=x", "payload"),
            ("srve", "unrecognized subcommand"),
            ("deploy a.yaml", "--stage <NAME>"),
            ("deploy a.yaml --stage v1 --canary 101", "percentage from 0 to 100"),
            ("deploy a.yaml --stage v1 --mode replace", "overwrite"),
            ("rollback", "--stage <NAME>"),
            ("status --admin 127.0.0.1:9080", "http://HOST:PORT"),
            ("status --access-key AK", "--secret-key <SECRET>"),
            ("backup", "<FILE>"),
            ("keys", "import"),
            ("keys import", "<FILE.csv>"),
            ("keys enable", "<ID|NAME>"),
            ("plans create", "<NAME>"),
            ("plans create x --quota 5", "like 1000/DAY"),
            ("plans create x --rate=-1", "0 or more"),
            ("plans create x --stage v1", "write API:STAGE"),
            ("plans create x --quota-offset 3", "--quota"),
            ("plans change x --rate 1 --no-throttle", "cannot be used with"),
            ("plans limit x a:v1 GET pets --rate 1", "begins with '/'"),
            ("usage", "<PLAN>"),
            ("usage grant x y", "--remaining <N>"),
            ("check", "<FILE>"),
            ("config --listen 8080", "has no port"),
            ("config --shards many", "number from 1 to"),
            ("config --admin-auth basic", "not \"sigv4\" and not \"none\""),
            ("config --account-id 1", "twelve digits"),
            ("config --limit url=x", "no unit I know"),
            ("config --access-log-format x", "there is no preset"),
            ("vtl", "<TEMPLATE>"),
            ("vtl a.vtl --param id=7", "path.id"),
            ("vtl a.vtl --query x", "NAME=VALUE"),
        ] {
            let words = std::iter::once("ringway").chain(line.split(' '));
            let error = Cli::try_parse_from(words).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
            assert!(error.to_string().contains(says), "{line}: {error}");
        }
    }
}
