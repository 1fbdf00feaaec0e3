//! The observer that draws progress on stderr: live lines on a terminal, plain lines elsewhere.

use std::collections::BTreeMap;
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
            screen.show(model, event, now);
        } else {
            let status = model.status_line(event, now);
            status.iter().chain(&lines).for_each(|line| print(line));
        }
    }
}

/// Formats the text of a live line.
fn message(line: Option<String>) -> String {
    printable(&line.unwrap_or_default()).into_owned()
}

/// Prints a line on stderr. Errors are ignored: a run does not stop because nobody reads it.
fn print(line: &str) {
    let _ = writeln!(anstream::stderr(), "{}", printed(line));
}

/// The live lines of a terminal: one for each kind being read, one for the plan being applied, one for a wait.
#[derive(Debug)]
struct Screen {
    lines: MultiProgress,
    listings: BTreeMap<(String, &'static str), ProgressBar>,
    applying: Option<ProgressBar>,
    waiting: Option<(ProgressBar, Instant)>,
}

impl Screen {
    fn new() -> Self {
        let lines = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Self { lines, listings: BTreeMap::new(), applying: None, waiting: None }
    }

    /// Prints lines above the live ones, each with a line break, so that the next text starts on a new line.
    fn print(&self, lines: &[String]) {
        if !lines.is_empty() {
            self.lines.suspend(|| lines.iter().for_each(|line| print(line)));
        }
    }

    fn show(&mut self, model: &ProgressModel, event: &Event, now: Instant) {
        self.end_wait(now);
        match event {
            Event::Listing { tenant, kind, .. } => {
                let bar = self.listings.entry((tenant.clone(), *kind)).or_insert_with(|| self.lines.add(line("{spinner} {wide_msg}")));
                bar.set_message(message(model.listing_line(tenant, kind, now)));
                bar.tick();
            }
            Event::Listed { tenant, kind, .. } => {
                if let Some(bar) = self.listings.remove(&(tenant.clone(), *kind)) {
                    self.drop_line(&bar);
                }
            }
            Event::Applying { .. } | Event::Settled { .. } => self.show_applying(model, now),
            Event::Waiting { wait, .. } => {
                if let Some(text) = ProgressModel::waiting_line(event) {
                    let (bar, until) = self.waiting.get_or_insert_with(|| (self.lines.add(line("  {wide_msg}")), now + *wait));
                    *until = (*until).max(now + *wait);
                    bar.set_message(message(Some(text)));
                }
            }
            Event::Reading { .. } | Event::Retrying { .. } | Event::Answered { .. } => {}
        }
    }

    fn show_applying(&mut self, model: &ProgressModel, now: Instant) {
        let Some((settled, changes)) = model.applying() else { return };
        let bar = self.applying.get_or_insert_with(|| self.lines.add(line("{bar:24} {wide_msg}")));
        bar.set_message(message(model.applying_line(now)));
        bar.set_length(changes as u64);
        bar.set_position(settled as u64);
        if settled >= changes {
            self.clear();
        }
    }

    fn end_wait(&mut self, now: Instant) {
        if let Some((bar, _)) = self.waiting.take_if(|(_, until)| now >= *until) {
            self.drop_line(&bar);
        }
    }

    fn drop_line(&self, bar: &ProgressBar) {
        bar.finish_and_clear();
        self.lines.remove(bar);
    }

    fn clear(&mut self) {
        let listings = std::mem::take(&mut self.listings).into_values();
        let waiting = self.waiting.take().map(|(bar, _)| bar);
        for bar in listings.chain(self.applying.take()).chain(waiting) {
            self.drop_line(&bar);
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.clear();
    }
}

fn line(template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("a template of this file is well formed");
    ProgressBar::new(1).with_style(style.progress_chars("━╸─"))
}
