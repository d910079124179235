//! The command line: everything stands in `lowrank::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    lowrank::cli::run(std::env::args_os())
}
