//! Does the README tell the truth?
//!
//! Every command of its tour is run as written, with what `echo` pipes into it, in order, in one folder; where an output is printed, the lines that do not depend on the machine must be those.

use crate::common::{Folder, lowrank, succeed};

/// The lines of the ```console blocks: commands after `$ `, and what they print.
fn tour() -> Vec<(String, Vec<String>)> {
    let text = include_str!("../../README.md");
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            _ if !inside => {}
            _ => match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(command), _) => commands.push((command.to_owned(), Vec::new())),
                (None, Some((_, output))) => output.push(line.to_owned()),
                (None, None) => panic!("output before any command: {line}"),
            },
        }
    }
    commands
}

/// What `echo '…' |` gives to a command, and the command.
fn piped(line: &str) -> (String, &str) {
    let echoed = line.strip_prefix("echo '");
    match echoed.and_then(|rest| rest.split_once("' | ")) {
        Some((text, command)) => (format!("{text}\n"), command),
        None => (String::new(), line),
    }
}

/// The words of a line, as a shell has them where quotes stand around whole words.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (n, part) in line.split('"').enumerate() {
        match n % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

#[test]
fn the_tour_runs_as_written() {
    let folder = Folder::new("readme");
    let commands = tour();
    assert!(
        commands.len() >= 10,
        "only {} commands found",
        commands.len()
    );
    for (line, output) in commands {
        let (input, rest) = piped(&line);
        let mut words = words(rest).into_iter();
        assert_eq!(words.next().as_deref(), Some("lowrank"), "{line}");
        let mut command = lowrank();
        command.args(words).current_dir(folder.path(""));
        let input = folder.write("input", input);
        command.stdin(std::fs::File::open(input).expect("the input"));
        let printed = command.output().expect("the binary starts");
        assert!(
            printed.status.success(),
            "{line}\n{}",
            String::from_utf8_lossy(&printed.stderr)
        );
        let printed = [printed.stdout, printed.stderr].concat();
        let printed = String::from_utf8(printed).expect("UTF-8");
        // Speeds, times and the number of cores are the machine's.
        let of_machine = |line: &str| {
            ["ratings/s", "threads", " s, kept", "…"]
                .iter()
                .any(|part| line.contains(part))
        };
        for wanted in output.iter().filter(|line| !of_machine(line)) {
            assert!(
                printed.lines().any(|line| line == wanted),
                "{line}\nno {wanted:?} in\n{printed}"
            );
        }
    }
}

#[test]
fn every_command_of_the_program_is_in_the_table() {
    let help = succeed(lowrank().arg("--help"));
    let commands = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    let readme = include_str!("../../README.md");
    for command in commands
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
    {
        assert!(
            readme.contains(&format!("| `{command} "))
                || readme.contains(&format!("| `{command}`")),
            "{command} is not in the README's table"
        );
    }
}
