//! Finished runs, one line of JSON each, under docs/results/.

use crate::failure::{Failure, Result};
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

/// The lines of a results file; none where there is no file. Lines that aren't JSON are refused.
///
/// # Errors
/// When the file can't be read or a line isn't JSON.
pub(crate) fn read(path: &Path) -> Result<Vec<Value>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::io("results can't be read", path, &error)),
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            parse(line).map_err(|came| {
                Failure::new(format!("line {} of {} is no result", index + 1, path.display()))
                    .expected("one JSON object")
                    .came(came)
                    .fix("mend or delete that line")
            })
        })
        .collect()
}

fn parse(line: &str) -> std::result::Result<Value, String> {
    serde_json::from_str(line).map_err(|error| error.to_string())
}

/// Adds a line, whole or not at all as far as the system can tell, and waits until the disk has it.
///
/// # Errors
/// When it can't be written.
pub(crate) fn append(path: &Path, result: &Value) -> Result<()> {
    let io = |error| Failure::io("a result can't be written", path, &error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(io)?;
    }
    let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(io)?;
    file.write_all(format!("{result}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(io)
}

/// The number at `key` of `value`: itself, or the `value` of an interval.
pub(crate) fn number(value: &Value, key: &str) -> Option<f64> {
    let entry = &value[key];
    entry.as_f64().or_else(|| entry["value"].as_f64())
}

/// The median: of two middles, their mean. None of nothing.
pub(crate) fn median(numbers: &[f64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    (n > 0).then(|| f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2]))
}

/// Results by label, both in the order in which they came.
pub(crate) fn by_label(lines: &[Value]) -> Vec<(String, Vec<&Value>)> {
    let mut groups: Vec<(String, Vec<&Value>)> = Vec::new();
    for line in lines {
        let label = line["label"].as_str().unwrap_or("?").to_string();
        match groups.iter_mut().find(|(known, _)| *known == label) {
            Some((_, results)) => results.push(line),
            None => groups.push((label, vec![line])),
        }
    }
    groups
}

/// The final evaluation, or where there is none the last one on the way.
pub(crate) fn last(result: &Value) -> &Value {
    let on_the_way = || result["evaluations"].as_array().and_then(|all| all.last()).unwrap_or(&Value::Null);
    if result["final"].is_object() { &result["final"] } else { on_the_way() }
}

/// A whole number with commas.
pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    groups.iter().map(|group| String::from_utf8_lossy(group)).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn results_are_read_as_they_were_written_and_bad_lines_are_named() {
        let path = std::env::temp_dir().join(format!("xtask-results-{}/r.jsonl", std::process::id()));
        assert!(read(&path).unwrap().is_empty());
        append(&path, &json!({"seed": 1})).unwrap();
        append(&path, &json!({"seed": 2})).unwrap();
        assert_eq!(read(&path).unwrap(), [json!({"seed": 1}), json!({"seed": 2})]);
        fs::write(&path, "{}\nnonsense\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("line 2"));
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn medians_and_numbers() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0]), Some(2.5));
        assert_eq!(median(&[]), None);
        let value = json!({"a": 1.5, "b": {"value": 2.5, "low": 0.0}, "c": null});
        assert_eq!((number(&value, "a"), number(&value, "b"), number(&value, "c")), (Some(1.5), Some(2.5), None));
    }
}
