//! How does a service ask, again and again, without loading the model each time?
//!
//! A line of standard input is a question, a JSON object; a line of standard output is its answer, written at once. Questions and answers are as many as each other and in the same order:
//! also an empty line, a line that is no JSON or one longer than [`LONGEST`] has an answer, `{"error", "line"}`, and the next line is read. What a question calls `id` its answer has too.
//!
//! | file | question |
//! |---|---|
//! | here | how are lines read, and answers written? |
//! | [`asked`] | how may ids, values and histories be written? |
//! | [`predict`] | what would a user give an item? |
//! | [`recommend`] | which items should a user see? |

mod asked;
mod predict;
mod recommend;

use std::io::{self, BufRead};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cli::output::{Format, Manner, counted};
use crate::{Error, Model, Result};

pub(super) use recommend::Wishes;

/// Bytes of a question; of a longer one nothing is kept.
const LONGEST: usize = 1 << 20;

/// What an answer has beside what was asked for.
#[derive(Serialize)]
struct Answer<A> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Value>,
    #[serde(flatten)]
    of: A,
}

/// Why there is no answer, and to which line of the input.
#[derive(Serialize)]
struct Refusal {
    error: String,
    line: u64,
}

/// Answers every line of standard input with `work`, to its end.
fn serve<Q: DeserializeOwned, A: Serialize>(
    model: &Model,
    manner: Manner,
    mut work: impl FnMut(Q) -> Result<A>,
) -> Result<()> {
    if let Some(format) = manner.format
        && !matches!(format, Format::Json | Format::JsonLines)
    {
        let wanted = "jsonl beside --stdin: an answer is a line of JSON";
        return Err(Error::config("format", "table or csv", wanted));
    }
    manner.note(format_args!(
        "ready: {}, {}; a JSON object a line",
        counted(model.users().ids().len() as u64, "user"),
        counted(model.items().ids().len() as u64, "item")
    ));
    let lines = Manner {
        format: Some(Format::JsonLines),
        ..manner
    };
    lines.output(None, |out| {
        let (mut input, mut text) = (io::stdin().lock(), Vec::new());
        for line in 1.. {
            let whole = match next_line(&mut input, &mut text, LONGEST) {
                Ok(Some(whole)) => whole,
                Ok(None) => break,
                Err(error) => return Err(Error::io("standard input", "read")(error)),
            };
            // As before every text file, a mark of its encoding may stand before the first line.
            let text = match text.strip_prefix(b"\xef\xbb\xbf") {
                Some(rest) if line == 1 => rest,
                _ => &text[..],
            };
            let (id, outcome) = match whole {
                true => answered(text, &mut work),
                false => (None, Err(format!("a line of more than {LONGEST} bytes"))),
            };
            match outcome {
                Ok(of) => out.json(&Answer { id, of })?,
                Err(error) => out.json(&Answer {
                    id,
                    of: Refusal { error, line },
                })?,
            }
            out.flush()?;
        }
        Ok(())
    })
}

/// The answer to a line, and the id of the question.
fn answered<Q: DeserializeOwned, A>(
    text: &[u8],
    work: &mut impl FnMut(Q) -> Result<A>,
) -> (Option<Value>, Result<A, String>) {
    let mut asked: Value = match serde_json::from_slice(text) {
        Ok(asked) => asked,
        Err(error) => return (None, Err(format!("no JSON: {}", without_line(&error)))),
    };
    let Some(fields) = asked.as_object_mut() else {
        return (
            None,
            Err("no JSON object, as in {\"user\": \"196\"}".into()),
        );
    };
    let id = fields.remove("id");
    let question = Q::deserialize(asked).map_err(|error| error.to_string());
    let outcome = question.and_then(|asked| work(asked).map_err(|error| error.to_string()));
    (id, outcome)
}

/// The error without its line, which is always the first here.
fn without_line(error: &serde_json::Error) -> String {
    error.to_string().replace("line 1 ", "")
}

/// Puts the next line, without its end, into `line`: whether it is at most `longest` bytes; what is longer is read past. `None` at the end of the input.
fn next_line(
    input: &mut impl BufRead,
    line: &mut Vec<u8>,
    longest: usize,
) -> io::Result<Option<bool>> {
    line.clear();
    let (mut any, mut whole) = (false, true);
    loop {
        let bytes = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            bytes => bytes?,
        };
        if bytes.is_empty() {
            return Ok(any.then_some(whole));
        }
        any = true;
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let own = &bytes[..end.unwrap_or(bytes.len())];
        whole &= line.len() + own.len() <= longest;
        match whole {
            true => line.extend_from_slice(own),
            false => line.clear(),
        }
        let read = own.len() + usize::from(end.is_some());
        input.consume(read);
        if end.is_some() {
            return Ok(Some(whole));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_one_by_one_and_long_ones_are_passed() {
        let text = b"ab\n\nabcd\nabcdefghijk\nabcd\r\nx";
        for capacity in 1..12 {
            let mut input = io::BufReader::with_capacity(capacity, &text[..]);
            let mut line = Vec::new();
            let mut next = || {
                let whole = next_line(&mut input, &mut line, 4).unwrap();
                assert!(line.capacity() <= 16, "what is too long is not kept");
                whole.map(|whole| (whole, String::from_utf8(line.clone()).unwrap()))
            };
            let is = |whole, text: &str| Some((whole, text.to_owned()));
            assert_eq!(next(), is(true, "ab"));
            assert_eq!(next(), is(true, ""));
            assert_eq!(next(), is(true, "abcd"));
            assert_eq!(next(), is(false, ""));
            assert_eq!(next(), is(false, ""), "a carriage return counts");
            assert_eq!(next(), is(true, "x"));
            assert_eq!((next(), next()), (None, None));
        }
    }
}
