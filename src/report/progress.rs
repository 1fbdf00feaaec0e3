//! The observer that draws progress on stderr: live lines on a terminal, plain lines elsewhere.

use std::io::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::printed::{printable, printed};
use super::progress_model::ProgressModel;
use super::run_report::RunCost;
use crate::model::event::{Event, Observer};

pub(crate) use super::progress_model::Mode;

/// Shows the progress of a run on stderr.
#[derive(Debug)]
pub(crate) struct Progress {
    display: Mutex<Display>,
}

#[derive(Debug)]
struct Display {
    model: ProgressModel,
    screen: Option<Screen>,
}

impl Progress {
    /// Creates an observer for stderr; `terminal` is whether stderr is a terminal.
    pub(crate) fn new(mode: Mode, terminal: bool) -> Self {
        let screen = (terminal && mode != Mode::Quiet).then(Screen::new);
        Self { display: Mutex::new(Display { model: ProgressModel::new(mode, Instant::now()), screen }) }
    }

    /// Returns the cost of applying so far; before that, the cost of the run so far.
    pub(crate) fn cost(&self) -> RunCost {
        self.display().model.cost(Instant::now())
    }

    fn display(&self) -> MutexGuard<'_, Display> {
        self.display.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the live lines on, though nothing happened.
    pub(crate) fn tick(&self) {
        let now = Instant::now();
        let Display { model, screen } = &mut *self.display();
        if let Some(screen) = screen {
            screen.tick(model, now);
        }
    }

    /// Removes the live lines, before something else is written to the terminal.
    pub(crate) fn clear(&self) {
        if let Some(screen) = &mut self.display().screen {
            screen.clear();
        }
    }
}

impl Observer for Progress {
    fn notify(&self, event: &Event) {
        let now = Instant::now();
        let mut display = self.display();
        let Display { model, screen } = &mut *display;
        let lines = model.update(event, now);
        if let Some(screen) = screen {
            screen.print(&lines);
            screen.show(model, now);
        } else {
            let status = model.status_line(event, now);
            status.iter().chain(&lines).for_each(|line| print(line));
        }
    }
}

/// Prints a line on stderr. Errors are ignored: a run does not stop because nobody reads it.
fn print(line: &str) {
    let _ = writeln!(anstream::stderr(), "{}", printed(line));
}

/// The live lines of a terminal: how far everything is, and below it what it waits for.
#[derive(Debug)]
struct Screen {
    lines: MultiProgress,
    progress: Option<ProgressBar>,
    wait: Option<ProgressBar>,
}

impl Screen {
    fn new() -> Self {
        Self { lines: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()), progress: None, wait: None }
    }

    /// Prints lines above the live ones, each with a line break, so that the next text starts on a new line.
    fn print(&self, lines: &[String]) {
        if !lines.is_empty() {
            self.lines.suspend(|| lines.iter().for_each(|line| print(line)));
        }
    }

    /// Shows how far everything is now.
    fn show(&mut self, model: &ProgressModel, now: Instant) {
        let wait = model.live_wait(now);
        // Above the wait, as a line that says nothing where only a wait is known.
        let progress = model.live_line(now);
        set(&self.lines, &mut self.progress, progress, "{spinner} {wide_msg}");
        set(&self.lines, &mut self.wait, wait, "  {wide_msg}");
    }

    /// Shows the time that goes by; what was cleared for something else stays so.
    fn tick(&mut self, model: &ProgressModel, now: Instant) {
        if self.progress.is_some() || self.wait.is_some() {
            self.show(model, now);
        }
    }

    fn clear(&mut self) {
        for line in [&mut self.progress, &mut self.wait] {
            set(&self.lines, line, None, "");
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Sets what a line shows; one that shows nothing is removed.
fn set(lines: &MultiProgress, line: &mut Option<ProgressBar>, text: Option<String>, template: &str) {
    let Some(text) = text else {
        if let Some(bar) = line.take() {
            bar.finish_and_clear();
            lines.remove(&bar);
        }
        return;
    };
    let style = || ProgressStyle::with_template(template).expect("a template of this file is well formed");
    let bar = line.get_or_insert_with(|| lines.add(ProgressBar::new(1).with_style(style())));
    bar.set_message(printable(&text).into_owned());
    bar.tick();
}
