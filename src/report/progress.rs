//! The observer that draws on stderr while a run goes on: live lines on a terminal, plain lines elsewhere.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::ended_run::RunCost;
use super::printed::{printable, printed};
use super::progress_model::Watch;
use crate::model::event::{Event, Observer};

pub use super::progress_model::Mode;

/// Tells a person on stderr what happens.
#[derive(Debug)]
pub struct Progress {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    watch: Watch,
    screen: Option<Screen>,
}

impl Progress {
    /// Returns an observer for stderr; `terminal` says that stderr is one.
    pub fn new(mode: Mode, terminal: bool) -> Self {
        let screen = (terminal && mode != Mode::Quiet).then(Screen::new);
        Self { inner: Mutex::new(Inner { watch: Watch::new(mode, Instant::now()), screen }) }
    }

    /// Returns what applying has cost so far; before anything is applied, what the run has cost.
    pub fn cost(&self) -> RunCost {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).watch.cost(Instant::now())
    }

    /// Takes the live lines away, before something else is written to the terminal.
    pub fn clear(&self) {
        if let Some(screen) = &mut self.inner.lock().unwrap_or_else(PoisonError::into_inner).screen {
            screen.clear();
        }
    }
}

impl Observer for Progress {
    fn notify(&self, event: &Event) {
        let now = Instant::now();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner { watch, screen } = &mut *inner;
        let told = watch.see(event, now);
        if let Some(screen) = screen {
            screen.say(&told);
            screen.show(watch, event, now);
        } else {
            let standing = watch.standing(event, now);
            standing.iter().chain(&told).for_each(|line| say(line));
        }
    }
}

/// Returns what stands in a live line.
fn message(line: Option<String>) -> String {
    printable(&line.unwrap_or_default()).into_owned()
}

/// A run does not stop because nobody reads its stderr.
fn say(line: &str) {
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

    /// Writes lines above the live ones; each ends with a line break of its own, so that whatever is written next begins anew.
    fn say(&self, lines: &[String]) {
        if !lines.is_empty() {
            self.lines.suspend(|| lines.iter().for_each(|line| say(line)));
        }
    }

    fn show(&mut self, watch: &Watch, event: &Event, now: Instant) {
        self.end_wait(now);
        match event {
            Event::Listing { tenant, kind, .. } => {
                let bar = self.listings.entry((tenant.clone(), *kind)).or_insert_with(|| self.lines.add(line("{spinner} {wide_msg}")));
                bar.set_message(message(watch.listing_line(tenant, kind, now)));
                bar.tick();
            }
            Event::Listed { tenant, kind, .. } => {
                if let Some(bar) = self.listings.remove(&(tenant.clone(), *kind)) {
                    self.drop_line(&bar);
                }
            }
            Event::Applying { .. } | Event::Settled { .. } => self.show_applying(watch, now),
            Event::Waiting { wait, .. } => {
                if let Some(text) = Watch::waiting_line(event) {
                    let (bar, until) = self.waiting.get_or_insert_with(|| (self.lines.add(line("  {wide_msg}")), now + *wait));
                    *until = (*until).max(now + *wait);
                    bar.set_message(message(Some(text)));
                }
            }
            Event::Reading { .. } | Event::Retrying { .. } | Event::Answered { .. } | Event::Noted(_) => {}
        }
    }

    fn show_applying(&mut self, watch: &Watch, now: Instant) {
        let Some((settled, changes)) = watch.applying() else { return };
        let bar = self.applying.get_or_insert_with(|| self.lines.add(line("{bar:24} {wide_msg}")));
        bar.set_message(message(watch.applying_line(now)));
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
