//! What one tenant refuses though others take it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::Answer;
use super::call::Call;
use super::state::State;

/// Requests that a tenant refuses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Refusal {
    /// `PATCH`; any where it is empty.
    #[serde(default)]
    method: String,
    /// A pattern of the path, without the query.
    path: String,
    /// The dotted path of what the body must hold; a text in it or in one of its elements stands behind a `=`.
    #[serde(default)]
    has: String,
    status: u16,
    /// `{}` stands for `has`.
    message: String,
    #[serde(default)]
    code: Option<String>,
}

impl Refusal {
    fn is_about(&self, call: &Call) -> bool {
        let is_path = || glob::Pattern::new(&self.path).is_ok_and(|pattern| pattern.matches(&call.path));
        (self.method.is_empty() || self.method == call.method.as_str()) && is_path() && holds(&call.body, &self.has)
    }
}

fn holds(body: &Value, has: &str) -> bool {
    if has.is_empty() {
        return true;
    }
    if let Value::Array(elements) = body {
        return elements.iter().any(|element| holds(element, has));
    }
    let (path, text) = has.split_once('=').map_or((has, None), |(path, text)| (path, Some(text)));
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let Some(value) = body.get(name) else { return false };
    match (rest, text) {
        (Some(rest), _) => holds(value, &text.map_or_else(|| rest.to_owned(), |text| format!("{rest}={text}"))),
        (None, None) => true,
        (None, Some(text)) => value == text || value.as_array().is_some_and(|all| all.iter().any(|one| one == text)),
    }
}

impl State {
    /// Refuses what this tenant is told to refuse.
    ///
    /// # Errors
    ///
    /// The answer that says why.
    pub(super) fn check_refused(&self, call: &Call) -> Result<(), Answer> {
        let refusal = self.refused.iter().find(|refusal| refusal.is_about(call));
        refusal.map_or(Ok(()), |refusal| {
            let message = refusal.message.replace("{}", &refusal.has);
            Err(Answer::refusal(refusal.status, &message, refusal.code.as_deref()))
        })
    }
}
