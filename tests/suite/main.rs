//! One binary, a file per question.
#![allow(
    clippy::print_stderr,
    unreachable_pub,
    reason = "tests say why they are skipped, and are no library"
)]

mod architecture;
mod artifact;
mod cache;
mod cli;
mod clicks;
mod common;
mod compare;
mod contract;
mod cross_validation;
mod determinism;
mod dry_run;
mod evaluate;
mod everyone;
mod features;
mod gate;
mod golden;
mod gradcheck;
mod gradcheck_lists;
mod implicit;
mod knobs;
mod learning;
mod monitor;
mod parquet;
mod posterior;
mod ranking;
mod reading;
mod readme;
mod registry;
mod resume;
mod robustness;
mod runs;
mod serve;
mod stdin;
mod train_command;
mod training;
mod tune;
mod update;
