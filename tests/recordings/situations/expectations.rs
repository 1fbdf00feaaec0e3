//! The expected results of a situation.

use fancy_regex::Regex;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::Unfit;
use super::paths::{filled_value, find};
use super::steps::{Execution, Ran};
use super::tenant::Asked;

/// One expectation. Exactly one of the fields that determine its subject is set.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Check {
    /// The reason, for people.
    why: Option<String>,
    /// The step that it is about; by default `import`, and for a state the last one.
    of: Option<String>,
    any: Option<Vec<Check>>,
    all: Option<Vec<Check>>,
    /// `no-writes`: the second import writes nothing.
    again: Option<String>,
    /// The exit code, or a list of possible ones.
    exit: Option<Value>,
    writes: Option<usize>,
    guarded: Option<bool>,
    #[serde(rename = "output-has")]
    output_has: Option<String>,
    #[serde(rename = "output-has-not")]
    output_has_not: Option<String>,
    #[serde(rename = "files-have-not")]
    files_have_not: Option<String>,
    /// A path in the target, and its expected value.
    target: Option<String>,
    #[serde(deserialize_with = "even_null")]
    equals: Option<Value>,
    #[serde(rename = "is-not", deserialize_with = "even_null")]
    is_not: Option<Value>,
    has: Option<Value>,
    absent: Option<bool>,
    present: Option<bool>,
    unchanged: Option<bool>,
    #[serde(rename = "like-source")]
    like_source: Option<Value>,
    count: Option<usize>,
    /// Methods and a path pattern of requests, with their expected number, possibly none.
    sent: Option<String>,
    /// A pattern of the body.
    with: Option<String>,
    times: Option<usize>,
    #[serde(rename = "at-most")]
    at_most: Option<usize>,
}

fn even_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Check {
    /// Returns how the results fall short of the expectation, if they do.
    pub(super) fn shortfall(&self, execution: &Execution<'_>) -> Result<Option<String>, Unfit> {
        let found = if let Some(checks) = &self.any {
            let short = shortfalls(checks, execution)?;
            (short.len() == checks.len()).then(|| short.join("; nor "))
        } else if let Some(checks) = &self.all {
            let short = shortfalls(checks, execution)?;
            (!short.is_empty()).then(|| short.join("; "))
        } else if let Some(place) = &self.target {
            self.of_state(place, execution)?
        } else if let Some(sent) = &self.sent {
            self.of_requests(sent, execution)?
        } else if let Some(text) = &self.files_have_not {
            execution.file_with(text).map(|file| format!("{file} holds {text}"))
        } else {
            self.of_run(execution)?
        };
        Ok(found.map(|short| self.why.as_ref().map_or(short.clone(), |why| format!("{why}: {short}"))))
    }

    fn of_run(&self, execution: &Execution<'_>) -> Result<Option<String>, Unfit> {
        let step = if self.again.is_some() { "again" } else { self.of.as_deref().unwrap_or("import") };
        let ran = ran(execution, step)?;
        let writes: Vec<&Asked> = ran.asked.iter().filter(|asked| asked.is_write()).collect();
        let wanted = self.writes.or(self.again.as_ref().map(|_| 0));
        Ok(if let Some(exit) = &self.exit {
            let is_fine = *exit == ran.code || exit.as_array().is_some_and(|codes| codes.contains(&ran.code.into()));
            (!is_fine).then(|| format!("{step} ended with {}", ran.code))
        } else if let Some(wanted) = wanted {
            let told: Vec<String> =
                writes.iter().take(3).map(|asked| format!("{} {} {}", asked.method, asked.target, asked.status)).collect();
            (writes.len() != wanted).then(|| format!("{step} wrote {}: {}", writes.len(), told.join(", ")))
        } else if let Some(guarded) = self.guarded {
            (ran.is_guarded != guarded).then(|| format!("{step} was {}stopped by a guard", if guarded { "not " } else { "" }))
        } else if let Some(text) = &self.output_has {
            (!ran.said.contains(text)).then(|| format!("{step} does not name {text}"))
        } else if let Some(text) = &self.output_has_not {
            ran.said.contains(text).then(|| format!("{step} says {text}"))
        } else {
            return Err(Unfit(format!("nothing is known of {self:?}")));
        })
    }

    fn of_state(&self, place: &str, execution: &Execution<'_>) -> Result<Option<String>, Unfit> {
        let held = self
            .of
            .as_ref()
            .map_or(Ok(&execution.last), |step| execution.held.get(step).ok_or_else(|| Unfit(format!("no step {step}"))))?;
        let found = find(place, held)?;
        let shown: String = (if let [one] = &found[..] { one.clone() } else { json!(found) }).to_string().chars().take(120).collect();
        let is_met = if let Some(count) = self.count {
            found.len() == count
        } else if self.absent.is_some() {
            found.is_empty()
        } else if self.present.is_some() {
            !found.is_empty()
        } else if self.unchanged.is_some() {
            found == find(place, &execution.held["before"])?
        } else if let Some(like) = &self.like_source {
            found == find(like.as_str().unwrap_or(place), &execution.held["source"])?
        } else {
            let [value] = &found[..] else { return Ok(Some(format!("{place} is there {} times", found.len()))) };
            let is_equal = self.equals.as_ref().map(|equals| filled_value(equals, held)).transpose()?.is_none_or(|equals| equals == *value);
            let holds = self.has.as_ref().map(|has| filled_value(has, held)).transpose()?.is_none_or(|has| holds_all(value, &has));
            is_equal && holds && self.is_not.as_ref().is_none_or(|other| other != value)
        };
        Ok((!is_met).then(|| format!("{place} is {shown}")))
    }

    fn of_requests(&self, sent: &str, execution: &Execution<'_>) -> Result<Option<String>, Unfit> {
        let (methods, path) = sent.split_once(' ').ok_or_else(|| Unfit(format!("{sent} names no path")))?;
        let pattern = |text: &str| Regex::new(text).map_err(|error| Unfit(error.to_string()));
        let (path, with) = (pattern(path)?, pattern(self.with.as_deref().unwrap_or_default())?);
        let runs: Vec<&Ran> = match &self.of {
            Some(step) => vec![ran(execution, step)?],
            None => execution.ran.values().collect(),
        };
        let is_meant = |asked: &&Asked| {
            let holds = |pattern: &Regex, text: &str| pattern.is_match(text).unwrap_or(false);
            methods.split('|').any(|method| method == asked.method) && holds(&path, &asked.target) && holds(&with, &asked.sent())
        };
        let hits: Vec<&Asked> = runs.iter().flat_map(|ran| &ran.asked).filter(is_meant).collect();
        let is_met = self.at_most.map_or(hits.len() == self.times.unwrap_or(0), |most| hits.len() <= most);
        let first = hits.first().map(|hit| format!(": {} {} {} {:.100}", hit.method, hit.target, hit.status, hit.sent()));
        Ok((!is_met).then(|| format!("{sent} was sent {} times{}", hits.len(), first.unwrap_or_default())))
    }
}

fn shortfalls(checks: &[Check], execution: &Execution<'_>) -> Result<Vec<String>, Unfit> {
    let all = checks.iter().map(|check| check.shortfall(execution)).collect::<Result<Vec<_>, _>>()?;
    Ok(all.into_iter().flatten().collect())
}

fn ran<'execution>(execution: &'execution Execution<'_>, step: &str) -> Result<&'execution Ran, Unfit> {
    execution.ran.get(step).ok_or_else(|| Unfit(format!("there is no step \"{step}\"")))
}

/// Returns whether an object contains every field of another one, or other values are equal.
fn holds_all(value: &Value, wanted: &Value) -> bool {
    match wanted {
        Value::Object(fields) => fields.iter().all(|(name, wanted)| value.get(name).is_some_and(|value| holds_all(value, wanted))),
        wanted => value == wanted,
    }
}
