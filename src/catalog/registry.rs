//! Finds kinds by their names, so that the text of a key can be parsed without a catalog.
//!
//! A text such as `⟦clients/Web⟧` contains only the name of a kind, and occurs in files and inside code. A name therefore stands for the same
//! kind in every catalog of a process.

use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use super::kind::Kind;
use super::kinds;
use super::reference::Reference;

static STANDARD: LazyLock<HashMap<&'static str, &'static Kind>> =
    LazyLock::new(|| kinds::ALL.iter().map(|kind| (kind.name, *kind)).collect());

/// Kinds of other catalogs than the standard one.
static FURTHER: LazyLock<RwLock<HashMap<&'static str, &'static Kind>>> = LazyLock::new(RwLock::default);

impl Kind {
    /// Returns the kind of this name in whichever catalog has it.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        STANDARD.get(name).copied().or_else(|| FURTHER.read().unwrap_or_else(PoisonError::into_inner).get(name).copied())
    }
}

impl Reference {
    /// Returns the kind that it refers to.
    ///
    /// # Panics
    ///
    /// If no catalog has that kind.
    #[must_use]
    pub fn kind(&self) -> &'static Kind {
        Kind::named(self.to).expect("catalog test: every reference names a kind")
    }
}

/// Makes a kind known by its name.
///
/// # Panics
///
/// If another kind has the name.
pub(super) fn register(kind: &'static Kind) {
    let known = STANDARD.get(kind.name).copied().unwrap_or_else(|| {
        let mut further = FURTHER.write().unwrap_or_else(PoisonError::into_inner);
        further.entry(kind.name).or_insert(kind)
    });
    assert!(std::ptr::eq(known, kind), "two kinds have the name \"{}\"", kind.name);
}
