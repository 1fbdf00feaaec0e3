//! Names, signs and classes on a page.

use maud::Render;

use crate::catalog::risk::RiskClass;
use crate::model::event::Operation;
use crate::report::document::Tone;
use crate::report::format::printable;
use crate::report::head::risk_label;
use crate::report::values::cut;

/// The maximum number of characters of a name.
const NAME: usize = 300;

/// A text in which control characters are visible.
pub(super) struct Shown<'text>(pub(super) &'text str);

impl Render for Shown<'_> {
    fn render_to(&self, out: &mut String) {
        printable(self.0).as_ref().render_to(out);
    }
}

/// Returns a name that is not too long for a page.
pub(super) fn name(text: &str) -> String {
    cut(&printable(text), NAME)
}

/// Returns the class of a tone in the style.
pub(super) fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Neutral => "neutral",
        Tone::Good => "good",
        Tone::Pending => "pending",
        Tone::Bad => "bad",
    }
}

/// Returns the name of a class of risk, and its class in the style.
pub(super) fn risk(class: RiskClass) -> (&'static str, &'static str) {
    (risk_label(class), class.as_str())
}

/// Returns the sign of an operation.
pub(super) fn sign(operation: Operation) -> &'static str {
    match operation {
        Operation::Create => "+",
        Operation::Update => "~",
        Operation::Delete => "−",
    }
}
