//! `turnkey camera preview`: one frame as a picture, or all of them in the terminal.

use super::{Preview, configured, first_picture, whole, write_png};
use crate::printing::print;
use crate::stop::Stop;
use anyhow::{Result, ensure};
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};
use turnkey_camera::{Running, source};
use turnkey_core::Frame;

/// Time between two pictures in the terminal: what one over the network can follow.
const PERIOD: Duration = Duration::from_millis(100);

pub(super) fn preview(arguments: &Preview) -> Result<()> {
    let config = configured(&arguments.camera)?;
    if let Some(out) = &arguments.out {
        let mut source = source(&config)?;
        source.open()?;
        let (raw, frame) = first_picture(&config, source.as_mut())?;
        write_png(&frame, out)?;
        let (size, age) = (frame.size(), age_millis(raw.captured));
        print(&format!("{}: {size} as a policy sees it, {age:.0} ms old\n", out.display()))?;
        if let Some(path) = &arguments.whole {
            write_png(&whole(&raw)?, path)?;
            print(&format!("{}: all of it, {} {}\n", path.display(), raw.format, raw.size))?;
        }
        return Ok(());
    }
    let mut terminal = std::io::stdout();
    ensure!(terminal.is_terminal(), "expected a terminal to show pictures in, got none\n  fix: --out picture.png");
    let stop = Stop::on_signals()?;
    let running = Running::start(&config, Instant::now())?;
    let end = arguments.seconds.map(|seconds| Instant::now() + Duration::from_secs_f64(seconds));
    write!(terminal, "\x1b[2J\x1b[?25l")?;
    while !stop.asked() && running.is_running() && end.is_none_or(|end| Instant::now() < end) {
        let mut text = String::from("\x1b[H");
        let counts = running.slot().counts();
        if let Some(captured) = running.slot().newest() {
            blocks(&captured.frame, &mut text);
            let age = 1e3 * captured.age.as_secs_f64();
            writeln!(text, "number {}, {age:.0} ms old\x1b[K", captured.sequence)?;
        }
        writeln!(
            text,
            "{} refused, {} missed, {} times opened again\x1b[K",
            counts.refused, counts.missed, counts.reopened
        )?;
        writeln!(text, "{}\x1b[J", running.slot().trouble().unwrap_or_default().replace('\n', "\x1b[K\n"))?;
        terminal.write_all(text.as_bytes())?;
        terminal.flush()?;
        std::thread::sleep(PERIOD);
    }
    writeln!(terminal, "\x1b[?25h")?;
    Ok(())
}

fn age_millis(captured: Instant) -> f64 {
    1e3 * captured.elapsed().as_secs_f64()
}

/// A frame in characters whose upper half is one pixel and whose lower half is the one below.
fn blocks(frame: &Frame, text: &mut String) {
    let width = frame.size().width;
    for rows in frame.pixels().chunks(2 * 3 * width) {
        let (upper, lower) = rows.split_at(3 * width);
        for (i, above) in upper.chunks_exact(3).enumerate() {
            let below = lower.get(3 * i..3 * i + 3).unwrap_or(&[0; 3]);
            let [(r, g, b), (r2, g2, b2)] = [above, below].map(|pixel| (pixel[0], pixel[1], pixel[2]));
            // Writing to a string can't fail.
            let _ = write!(text, "\x1b[38;2;{r};{g};{b}m\x1b[48;2;{r2};{g2};{b2}m▀");
        }
        text.push_str("\x1b[0m\x1b[K\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_core::{FrameSize, Stamp};

    #[test]
    fn two_rows_are_one_line_and_an_odd_last_row_is_over_black() {
        let frame = Frame::new(Stamp::default(), FrameSize { width: 1, height: 3 }, (1..=9).collect::<Vec<u8>>());
        let mut text = String::new();
        blocks(&frame.unwrap(), &mut text);
        assert_eq!(
            text,
            "\x1b[38;2;1;2;3m\x1b[48;2;4;5;6m▀\x1b[0m\x1b[K\n\x1b[38;2;7;8;9m\x1b[48;2;0;0;0m▀\x1b[0m\x1b[K\n"
        );
    }
}
