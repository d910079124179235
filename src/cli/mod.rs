//! Chapter 15. How is all this used from a shell?
//!
//! One file a command; a command reads its files, calls the chapters before, and hands the result to `output`, the only place that prints.
//!
//! | folder | commands |
//! |---|---|
//! | `train` | `demo`, `train`, `resume`, `update`: from ratings to a model |
//! | `serve` | `predict`, `recommend`, `similar`: ask a model |
//! | `judge` | `evaluate`, `cv`, `tune`, `compare`, `monitor`: how good is it, is something else better, and does it still hold? |
//! | `keep` | `export`, `registry`, `runs`: take the embeddings elsewhere, keep versions, see what was trained and whether it is still so |
//! | `data` | `data inspect`, `data split`, `data check-split`, `data convert`, `data generate`: ratings before any model; `data schema`: the features that a model expects |
//!
//! | exit code | means |
//! |---|---|
//! | 0 | done; also when the reader of the results has left |
//! | 1 | an error in the input |
//! | 2 | a command that cannot be understood, or a setting out of its range |
//! | 3 | a gate or a check failed; the results were printed |
//! | 4 | training diverged |
//! | 130 | interrupted, and put down to go on |

#![allow(
    unreachable_pub,
    reason = "the commands are private; what they say to each other is theirs"
)]

use std::error::Error as _;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{Error, Result};
use output::{Format, Manner};

mod calendar;
mod data;
mod duration;
mod fresh;
mod given;
mod judge;
mod keep;
mod lines;
mod output;
mod serve;
mod sources;
mod table;
mod toml_text;
mod train;

/// Matrix factorization from scratch: embeddings from ratings, predictions and recommendations from embeddings.
#[derive(Debug, Parser)]
#[command(name = "lowrank", version, max_term_width = 100)]
#[command(
    after_help = "`lowrank <command> --help` shows an example of every command.\n\
    Results go to standard output, everything else to standard error."
)]
struct Arguments {
    /// How results are written [default: what the ending of -o FILE says, else table]
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "table|json|csv",
        hide_possible_values = true,
        display_order = 900
    )]
    format: Option<Format>,
    /// Print results and errors, and nothing else
    #[arg(long, global = true, display_order = 901)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(train::demo::Demo),
    Train(Box<train::command::Train>),
    Resume(train::resume::Resume),
    Update(train::update::Update),
    Predict(serve::predict::Predict),
    Recommend(Box<serve::recommend::Recommend>),
    Similar(serve::similar::Similar),
    Evaluate(Box<judge::evaluate::Evaluate>),
    Cv(Box<judge::cv::Cv>),
    Tune(Box<judge::tune::Tune>),
    Compare(judge::compare::Compare),
    Monitor(Box<judge::monitor::Monitor>),
    Export(keep::export::Export),
    #[command(subcommand)]
    Runs(keep::runs::Runs),
    #[command(subcommand)]
    Registry(keep::registry::Commands),
    #[command(subcommand)]
    Data(data::Data),
}

impl Command {
    fn run(self, manner: Manner) -> Result<()> {
        match self {
            Command::Demo(command) => command.run(manner),
            Command::Train(command) => command.run(manner),
            Command::Resume(command) => command.run(manner),
            Command::Update(command) => command.run(manner),
            Command::Predict(command) => command.run(manner),
            Command::Recommend(command) => command.run(manner),
            Command::Similar(command) => command.run(manner),
            Command::Evaluate(command) => command.run(manner),
            Command::Cv(command) => command.run(manner),
            Command::Tune(command) => command.run(manner),
            Command::Compare(command) => command.run(manner),
            Command::Monitor(command) => command.run(manner),
            Command::Export(command) => command.run(manner),
            Command::Runs(command) => command.run(manner),
            Command::Registry(command) => command.run(manner),
            Command::Data(command) => command.run(manner),
        }
    }
}

/// Runs one command; the first of `arguments` is the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(usage) => {
            // Help and version arrive here too, with code 0. Where they cannot be printed nobody is reading.
            let _ = usage.print();
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2));
        }
    };
    let manner = Manner {
        format: arguments.format,
        quiet: arguments.quiet,
    };
    match arguments.command.run(manner) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(message(&error));
            code(&error)
        }
    }
}

fn code(error: &Error) -> ExitCode {
    ExitCode::from(match error {
        Error::Config { .. } => 2,
        Error::Gate { .. } => 3,
        Error::Diverged { .. } => 4,
        Error::Interrupted { .. } => 130,
        _ => 1,
    })
}

/// The error and what it comes from, where that is not said already.
fn message(error: &Error) -> String {
    let mut text = format!("lowrank: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    table::safe(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_fit_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        fn check(command: &clap::Command) {
            let commands: Vec<_> = command.get_subcommands().collect();
            if commands.is_empty() {
                let help = command.get_after_help().map(ToString::to_string);
                let example = format!("lowrank {}", command.get_name());
                let words = help.unwrap_or_default();
                assert!(
                    words.contains("Example") && words.contains(command.get_name()),
                    "no example like {example:?}"
                );
            }
            commands.into_iter().for_each(check);
        }
        check(&Arguments::command());
    }

    #[test]
    fn a_message_is_one_safe_line_with_its_cause_once() {
        let error = Error::io("a\u{1b}[2J.csv", "open")(std::io::Error::other("no luck"));
        assert_eq!(
            message(&error),
            r"lowrank: a\u{1b}[2J.csv: cannot open: no luck"
        );
    }
}
