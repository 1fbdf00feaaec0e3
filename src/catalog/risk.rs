//! The risks of a change: a lockout, weaker protection, lost data, or added access.
//!
//! An entry gives every writable field of its kind a rule, which determines the class of an edit by its direction. A
//! field without a rule fails a test, so that somebody considers a new field before it is copied.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// The risk of a change, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RiskClass {
    /// None of the others.
    Routine,
    /// Access is added.
    Widened,
    /// A resource is deleted.
    DataLoss,
    /// A protection becomes weaker.
    Weakened,
    /// People or services may no longer be able to sign in: something is removed, required, replaced or bound.
    Lockout,
}

impl RiskClass {
    /// Returns the name: `data-loss`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Routine => "routine",
            Self::Widened => "widened",
            Self::DataLoss => "data-loss",
            Self::Weakened => "weakened",
            Self::Lockout => "lockout",
        }
    }

    /// Returns whether an edit of this class needs approval.
    #[must_use]
    pub fn is_dangerous(self) -> bool {
        self >= Self::DataLoss
    }
}

/// How the old and the new value of a field determine the class of an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RiskRule {
    /// Appearance only: any change is routine.
    Routine,
    /// Something that may be used: less may lock out, more widens.
    Access,
    /// An object whose presence grants access: adding it widens, removing it may lock out, and fields inside it have
    /// their own rules.
    Presence,
    /// Identifies two sides to each other, or is code that decides: a first value widens, any other change may lock out.
    Identity,
    /// Something that takes part in every login: any change may lock out, including a first value.
    AnyChange,
    /// A requirement for people or services: more may lock out, less is weaker.
    Requirement,
    /// A protection that blocks no legitimate login: less is weaker.
    Protection,
    /// An exception from a protection: more is weaker, less may lock out.
    Exception,
    /// A period of validity: shorter may lock out, longer is weaker.
    Lifetime,
    /// A switch that disables something: more may lock out, less widens.
    Disabling,
    /// An upper limit: a lower or new one may lock out, a higher one or none is weaker.
    Limit,
    /// Reports and their recipients: any change may hide an attack, which is weaker.
    Monitoring,
}

/// Ordered values, lowest first, as the OpenAPI description lists them.
pub const SCALES: &[&[&str]] = &[
    &["none", "low", "fair", "good", "excellent"],
    &["low", "medium", "high"],
    &["never", "when_risky", "always"],
    &["standard", "enhanced"],
    &["non-rotating", "rotating"],
    &["non-expiring", "expiring"],
    &["permissive", "strict"],
    &["allow_always", "open_redirect_protection"],
    &["allow_all", "require_client_grant", "deny_all"],
    &["non-persistent", "persistent"],
    &["none", "asn", "ip"],
    &["allow", "block"],
    &["three_of_four", "all"],
    &["en_10k", "en_100k"],
    &["suspended", "paused", "active"],
    &["disabled", "enabled"],
];

/// How a value changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    More,
    Less,
    /// Set to false where it was absent: an absent protection is on, everything else that is absent is off.
    SaidOff,
    /// The same elements in another order.
    Order,
    /// A different value, or more and less at once.
    Other,
}

impl RiskRule {
    /// Returns the classes of an edit: a list that gains and loses elements has both.
    pub(crate) fn classes(self, old: Option<&Value>, new: Option<&Value>) -> Vec<RiskClass> {
        let (Some(Value::Array(held)), Some(Value::Array(wanted))) = (old, new) else { return vec![self.class(old, new)] };
        let both: Vec<Value> = wanted.iter().filter(|one| held.contains(one)).cloned().collect();
        if both.len() == held.len() || both.len() == wanted.len() {
            return vec![self.class(old, new)];
        }
        let both = Value::Array(both);
        let mut classes = vec![self.class(old, Some(&both)), self.class(Some(&both), new)];
        classes.sort_unstable();
        classes.dedup();
        classes
    }

    /// Returns the class of replacing a value that cannot be read.
    pub(crate) fn class_of_another(self) -> RiskClass {
        self.class(Some(&Value::from("one")), Some(&Value::from("another")))
    }

    /// Returns the class of an edit; `old` is the value in the target, or its default if absent.
    fn class(self, old: Option<&Value>, new: Option<&Value>) -> RiskClass {
        match (self, direction(old, new)) {
            (Self::Routine, _)
            | (Self::Protection, Direction::More)
            | (Self::Presence, Direction::Other)
            | (Self::Access, Direction::Order) => RiskClass::Routine,
            (Self::Access | Self::Presence, Direction::More) | (Self::Disabling, Direction::Less) => RiskClass::Widened,
            // Nobody uses yet what did not exist before.
            (Self::Identity, _) if is_nothing(old) => RiskClass::Widened,
            (rule, Direction::SaidOff) if ![Self::Protection, Self::Access, Self::Monitoring, Self::Requirement].contains(&rule) => {
                RiskClass::Routine
            }
            (Self::Limit, Direction::More) if is_nothing(old) => RiskClass::Lockout,
            (Self::Limit, Direction::Less) if is_nothing(new) => RiskClass::Weakened,
            (Self::Requirement, Direction::Less | Direction::SaidOff)
            | (Self::Exception | Self::Lifetime | Self::Limit, Direction::More)
            | (Self::Protection | Self::Monitoring, _) => RiskClass::Weakened,
            (_, _) => RiskClass::Lockout,
        }
    }
}

fn is_nothing(value: Option<&Value>) -> bool {
    value.is_none_or(crate::json::is_blank)
}

fn direction(old: Option<&Value>, new: Option<&Value>) -> Direction {
    match (old, new) {
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            let (gone, come) = (old.iter().any(|one| !new.contains(one)), new.iter().any(|one| !old.contains(one)));
            match (gone, come) {
                (false, true) => Direction::More,
                (true, false) => Direction::Less,
                (false, false) => Direction::Order,
                (true, true) => Direction::Other,
            }
        }
        (Some(Value::Number(old)), Some(Value::Number(new))) => {
            if new.as_f64() > old.as_f64() {
                Direction::More
            } else {
                Direction::Less
            }
        }
        (Some(Value::Bool(false)), Some(Value::Bool(true))) => Direction::More,
        (Some(Value::Bool(true)), Some(Value::Bool(false))) => Direction::Less,
        (None, Some(Value::Bool(false))) => Direction::SaidOff,
        (Some(Value::Bool(false)), None) => Direction::Other,
        (Some(Value::String(old)), Some(Value::String(new))) => on_a_scale(old, new),
        (old, new) if is_nothing(old) && !is_nothing(new) => Direction::More,
        (old, new) if !is_nothing(old) && is_nothing(new) => Direction::Less,
        _ => Direction::Other,
    }
}

fn on_a_scale(old: &str, new: &str) -> Direction {
    let places = |scale: &&[&str]| Some((scale.iter().position(|one| *one == old)?, scale.iter().position(|one| *one == new)?));
    match SCALES.iter().find_map(places) {
        Some((old, new)) if new > old => Direction::More,
        Some((old, new)) if new < old => Direction::Less,
        _ => Direction::Other,
    }
}

/// The end of the identifier of the Management API; access to it allows any change.
const MANAGEMENT_API: &str = "/api/v2/";

/// The risks of changes to the resources of a kind.
#[derive(Debug, Clone, Copy)]
pub struct Risks {
    /// The class of a new resource.
    pub created: RiskClass,
    /// The class of a deleted resource, besides lost data.
    pub deleted: RiskClass,
    /// Whether each resource grants access to an API, which may be the Management API.
    pub(crate) opens_apis: bool,
    /// Rules, each with its fields, separated by spaces; a path covers everything below it for which no longer path has
    /// a rule.
    pub fields: &'static [(RiskRule, &'static str)],
}

impl Risks {
    /// Every change affects appearance only.
    pub(crate) const COSMETIC: Self = Self::new(RiskClass::Routine, RiskClass::DataLoss, &[(RiskRule::Routine, "*")]);
    /// People or services sign in with such a resource, or are admitted by it, and every field is part of its identity.
    pub(crate) const SIGN_IN: Self = Self::new(RiskClass::Widened, RiskClass::DataLoss, &[(RiskRule::Identity, "*")]);
    /// There is only one, and everybody uses every field of it at once.
    pub(crate) const TENANT_WIDE: Self = Self::new(RiskClass::Lockout, RiskClass::Lockout, &[(RiskRule::AnyChange, "*")]);

    /// Creates the risks of a kind: the class of a new resource, that of a deleted one, and the rules of its fields.
    #[must_use]
    pub const fn new(created: RiskClass, deleted: RiskClass, fields: &'static [(RiskRule, &'static str)]) -> Self {
        Self { created, deleted, opens_apis: false, fields }
    }

    /// Declares that each resource grants access to an API, which may be the Management API.
    #[must_use]
    pub(crate) const fn opening_apis(mut self) -> Self {
        self.opens_apis = true;
        self
    }

    /// Returns the class of an edit that concerns something with this name: more access to the Management API is weaker
    /// protection.
    pub(crate) fn raised(&self, class: RiskClass, what: &str) -> RiskClass {
        if self.opens_apis && class == RiskClass::Widened && what.contains(MANAGEMENT_API) { RiskClass::Weakened } else { class }
    }

    /// Returns the paths below another path that have rules, the longest first.
    pub fn below(&self, path: &str) -> Vec<&'static str> {
        let is_below = |one: &&str| one.len() > path.len() && crate::json::covers(path, one);
        let mut below: Vec<&str> = self.fields.iter().flat_map(|(_, paths)| paths.split_whitespace()).filter(is_below).collect();
        below.sort_unstable_by_key(|one| std::cmp::Reverse(one.len()));
        below
    }

    /// Returns the rule of a path: that of the longest path that covers it.
    pub fn rule(&self, path: &str) -> Option<RiskRule> {
        let covering = |(rule, paths): &(RiskRule, &'static str)| {
            let longest = paths.split_whitespace().filter(|one| crate::json::covers(one, path)).map(str::len).max()?;
            Some((longest, *rule))
        };
        self.fields.iter().filter_map(covering).max_by_key(|(length, _)| *length).map(|(_, rule)| rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_direction_of_a_change_determines_its_class() {
        let class = |rule: RiskRule, old: Value, new: Value| rule.class(Some(&old), Some(&new));
        assert_eq!(class(RiskRule::Access, json!(["a", "b"]), json!(["a"])), RiskClass::Lockout);
        assert_eq!(class(RiskRule::Access, json!(["a"]), json!(["a", "b"])), RiskClass::Widened);
        assert_eq!(class(RiskRule::Access, json!(["a"]), json!(["b"])), RiskClass::Lockout);
        assert_eq!(class(RiskRule::Requirement, json!(false), json!(true)), RiskClass::Lockout);
        assert_eq!(class(RiskRule::Requirement, json!(true), json!(false)), RiskClass::Weakened);
        assert_eq!(class(RiskRule::Protection, json!(true), json!(false)), RiskClass::Weakened);
        assert_eq!(class(RiskRule::Protection, json!(false), json!(true)), RiskClass::Routine);
        assert_eq!(class(RiskRule::Lifetime, json!(60), json!(30)), RiskClass::Lockout);
        assert_eq!(class(RiskRule::Lifetime, json!(30), json!(60)), RiskClass::Weakened);
        assert_eq!(class(RiskRule::Exception, json!([]), json!(["1.2.3.4"])), RiskClass::Weakened);
        assert_eq!(class(RiskRule::Identity, json!("a"), json!("b")), RiskClass::Lockout);
        assert_eq!(class(RiskRule::Requirement, json!("good"), json!("low")), RiskClass::Weakened);
        assert_eq!(class(RiskRule::Requirement, json!("good"), json!("excellent")), RiskClass::Lockout);
        assert_eq!(class(RiskRule::Disabling, json!(true), json!(false)), RiskClass::Widened);
        assert_eq!(class(RiskRule::Disabling, json!(false), json!(true)), RiskClass::Lockout);
        assert_eq!(RiskRule::Identity.class(None, Some(&json!("b"))), RiskClass::Widened);
        assert_eq!(RiskRule::AnyChange.class(None, Some(&json!("b"))), RiskClass::Lockout);
        assert_eq!(class(RiskRule::Access, json!(["a", "b"]), json!(["b", "a"])), RiskClass::Routine);
        assert_eq!(class(RiskRule::AnyChange, json!(["a", "b"]), json!(["b", "a"])), RiskClass::Lockout);
    }

    #[test]
    fn a_list_that_gains_and_loses_elements_has_both_classes() {
        let both = |rule: RiskRule| rule.classes(Some(&json!(["a", "b"])), Some(&json!(["b", "c"])));
        assert_eq!(both(RiskRule::Access), [RiskClass::Widened, RiskClass::Lockout]);
        assert_eq!(both(RiskRule::Exception), [RiskClass::Weakened, RiskClass::Lockout]);
        assert_eq!(both(RiskRule::AnyChange), [RiskClass::Lockout]);
    }

    #[test]
    fn a_value_that_appears_or_disappears_has_a_direction_too() {
        let class = |rule: RiskRule, old: Value, new: Value| rule.class(Some(&old), Some(&new));
        assert_eq!(class(RiskRule::Limit, json!(10), json!(5)), RiskClass::Lockout);
        assert_eq!(class(RiskRule::Limit, json!(5), json!(10)), RiskClass::Weakened);
        assert_eq!(
            (RiskRule::Limit.class(None, Some(&json!(5))), RiskRule::Limit.class(Some(&json!(5)), None)),
            (RiskClass::Lockout, RiskClass::Weakened)
        );
        assert_eq!(class(RiskRule::Presence, json!({"a": 1}), json!({"a": 2})), RiskClass::Routine);
        for (rule, said_off) in [
            (RiskRule::Protection, RiskClass::Weakened),
            (RiskRule::Requirement, RiskClass::Weakened),
            (RiskRule::Access, RiskClass::Lockout),
            (RiskRule::Disabling, RiskClass::Routine),
        ] {
            assert_eq!(rule.class(None, Some(&json!(false))), said_off);
        }
        assert_eq!(RiskRule::Identity.class(Some(&json!("a")), None), RiskClass::Lockout);
        for (old, new) in [(json!([]), json!(["a"])), (json!(["a"]), json!([])), (json!("a"), json!("b"))] {
            assert_eq!(class(RiskRule::Monitoring, old, new), RiskClass::Weakened);
        }
    }
}
