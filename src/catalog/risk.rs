//! What a change may cost: may it keep somebody from signing in, weaken a protection, lose data, or add access?
//!
//! Every entry puts every writable field of its kind under a rule, which gives the class of an edit by its direction. A field without a rule
//! fails a test, so that somebody thinks about a new field before it is copied.

use serde_json::Value;

/// What a change may cost, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RiskClass {
    /// None of the others.
    Routine,
    /// Access is added.
    Widened,
    /// A resource is deleted.
    DataLoss,
    /// A protection becomes weaker.
    Weakened,
    /// People or services may no longer sign in: something is removed, required, replaced or bound.
    Lockout,
}

/// How the class of an edit follows from what a field held and will hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RiskRule {
    /// It changes what people see, and nothing else.
    Routine,
    /// What may be used: less of it locks out, more of it widens.
    Access,
    /// What is there or not: its coming adds access and its going locks out; what stands in it says how it works.
    Presence,
    /// By what two sides know each other, or code that decides: any change of what stands there may lock out, and what comes new adds access.
    Identity,
    /// What takes part in a login by standing there: any change of it, its coming included, may lock out.
    Bound,
    /// What is asked of people and services: more of it locks out, less of it is weaker.
    Demand,
    /// A protection that costs nobody a sign-in: less of it is weaker.
    Shield,
    /// What is let past a protection: more of it is weaker, less of it locks out.
    Exception,
    /// How long something holds: shorter locks out, longer is weaker.
    Lifetime,
    /// What switches something off: more of it locks out, less of it widens.
    Stop,
    /// The most of something that is given: a lower one or a new one locks out, a higher one or none is weaker.
    Cap,
    /// What is reported, and to whom: any change of it may leave somebody blind, which is weaker.
    Report,
}

/// Values that stand for more and more of the same thing, the least first, as the OpenAPI description lists them.
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

/// Where a value went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    More,
    Less,
    /// Off, where nothing was said before: protections are on then, and everything else is off.
    SaidOff,
    /// The same in another order.
    Order,
    /// Something else, or more and less at once.
    Other,
}

impl RiskRule {
    /// Returns the classes of an edit: of a list from which something goes and to which something comes, both.
    pub fn classes(self, old: Option<&Value>, new: Option<&Value>) -> Vec<RiskClass> {
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

    /// Returns the class of another value in the place of one that nobody sees.
    pub fn class_of_another(self) -> RiskClass {
        self.class(Some(&Value::from("one")), Some(&Value::from("another")))
    }

    /// Returns the class of an edit; `old` is what the target holds, or has by default where it holds nothing.
    fn class(self, old: Option<&Value>, new: Option<&Value>) -> RiskClass {
        match (self, direction(old, new)) {
            (Self::Routine, _)
            | (Self::Shield, Direction::More)
            | (Self::Presence, Direction::Other)
            | (Self::Access, Direction::Order) => RiskClass::Routine,
            (Self::Access | Self::Presence, Direction::More) | (Self::Stop, Direction::Less) => RiskClass::Widened,
            // What was not there before is nobody's yet.
            (Self::Identity, _) if is_nothing(old) => RiskClass::Widened,
            (rule, Direction::SaidOff) if ![Self::Shield, Self::Access, Self::Report, Self::Demand].contains(&rule) => RiskClass::Routine,
            (Self::Cap, Direction::More) if is_nothing(old) => RiskClass::Lockout,
            (Self::Cap, Direction::Less) if is_nothing(new) => RiskClass::Weakened,
            (Self::Demand, Direction::Less | Direction::SaidOff)
            | (Self::Exception | Self::Lifetime | Self::Cap, Direction::More)
            | (Self::Shield | Self::Report, _) => RiskClass::Weakened,
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

/// How the identifier of the Management API ends: who has access to it may change anything.
const MANAGEMENT_API: &str = "/api/v2/";

/// What changes of a kind's resources may cost.
#[derive(Debug, Clone, Copy)]
pub struct Risks {
    /// What a new one is.
    pub created: RiskClass,
    /// What a deleted one is, besides lost data.
    pub deleted: RiskClass,
    /// Whether each gives access to an API, which may be the Management API.
    pub opens_apis: bool,
    /// Rules, each with the fields it is about, separated by blanks; a path stands for all that lies below it and no longer path names.
    pub fields: &'static [(RiskRule, &'static str)],
}

impl Risks {
    /// Only the appearance of something changes.
    pub const COSMETIC: Self = Self::new(RiskClass::Routine, RiskClass::DataLoss, &[(RiskRule::Routine, "*")]);
    /// People and services sign in with such a resource, or are let in by it, and every field is part of its identity.
    pub const SIGN_IN: Self = Self::new(RiskClass::Widened, RiskClass::DataLoss, &[(RiskRule::Identity, "*")]);
    /// There is only one, and everybody uses every field of it at once.
    pub const TENANT_WIDE: Self = Self::new(RiskClass::Lockout, RiskClass::Lockout, &[(RiskRule::Bound, "*")]);

    /// Returns the risks of a kind: what a new resource is, what a deleted one is besides lost data, and the rules of its fields.
    #[must_use]
    pub const fn new(created: RiskClass, deleted: RiskClass, fields: &'static [(RiskRule, &'static str)]) -> Self {
        Self { created, deleted, opens_apis: false, fields }
    }

    /// Says that each resource gives access to an API, which may be the Management API.
    #[must_use]
    pub const fn opening_apis(mut self) -> Self {
        self.opens_apis = true;
        self
    }

    /// Returns the class of what adds access by something that is called so: it is weaker protection where that is the Management API.
    pub fn raised(&self, class: RiskClass, what: &str) -> RiskClass {
        if self.opens_apis && class == RiskClass::Widened && what.contains(MANAGEMENT_API) { RiskClass::Weakened } else { class }
    }

    /// Returns the paths of rules below another path, the longest first.
    pub fn below(&self, path: &str) -> Vec<&'static str> {
        let is_below = |one: &&str| one.len() > path.len() && crate::json::covers(path, one);
        let mut below: Vec<&str> = self.fields.iter().flat_map(|(_, paths)| paths.split_whitespace()).filter(is_below).collect();
        below.sort_unstable_by_key(|one| std::cmp::Reverse(one.len()));
        below
    }

    /// Returns the rule of a path: that of the longest path which covers it.
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
    fn the_direction_decides() {
        let class = |rule: RiskRule, old: Value, new: Value| rule.class(Some(&old), Some(&new));
        assert_eq!(class(RiskRule::Access, json!(["a", "b"]), json!(["a"])), RiskClass::Lockout);
        assert_eq!(class(RiskRule::Access, json!(["a"]), json!(["a", "b"])), RiskClass::Widened);
        assert_eq!(class(RiskRule::Access, json!(["a"]), json!(["b"])), RiskClass::Lockout);
        assert_eq!(class(RiskRule::Demand, json!(false), json!(true)), RiskClass::Lockout);
        assert_eq!(class(RiskRule::Demand, json!(true), json!(false)), RiskClass::Weakened);
        assert_eq!(class(RiskRule::Shield, json!(true), json!(false)), RiskClass::Weakened);
        assert_eq!(class(RiskRule::Shield, json!(false), json!(true)), RiskClass::Routine);
        assert_eq!(class(RiskRule::Lifetime, json!(60), json!(30)), RiskClass::Lockout);
        assert_eq!(class(RiskRule::Lifetime, json!(30), json!(60)), RiskClass::Weakened);
        assert_eq!(class(RiskRule::Exception, json!([]), json!(["1.2.3.4"])), RiskClass::Weakened);
        assert_eq!(class(RiskRule::Identity, json!("a"), json!("b")), RiskClass::Lockout);
        assert_eq!(class(RiskRule::Demand, json!("good"), json!("low")), RiskClass::Weakened);
        assert_eq!(class(RiskRule::Demand, json!("good"), json!("excellent")), RiskClass::Lockout);
        assert_eq!(class(RiskRule::Stop, json!(true), json!(false)), RiskClass::Widened);
        assert_eq!(class(RiskRule::Stop, json!(false), json!(true)), RiskClass::Lockout);
        assert_eq!(RiskRule::Identity.class(None, Some(&json!("b"))), RiskClass::Widened);
        assert_eq!(RiskRule::Bound.class(None, Some(&json!("b"))), RiskClass::Lockout);
        assert_eq!(class(RiskRule::Access, json!(["a", "b"]), json!(["b", "a"])), RiskClass::Routine);
        assert_eq!(class(RiskRule::Bound, json!(["a", "b"]), json!(["b", "a"])), RiskClass::Lockout);
    }

    #[test]
    fn a_list_that_gains_and_loses_elements_has_both_classes() {
        let both = |rule: RiskRule| rule.classes(Some(&json!(["a", "b"])), Some(&json!(["b", "c"])));
        assert_eq!(both(RiskRule::Access), [RiskClass::Widened, RiskClass::Lockout]);
        assert_eq!(both(RiskRule::Exception), [RiskClass::Weakened, RiskClass::Lockout]);
        assert_eq!(both(RiskRule::Bound), [RiskClass::Lockout]);
    }

    #[test]
    fn a_value_that_appears_or_disappears_has_a_direction_too() {
        let class = |rule: RiskRule, old: Value, new: Value| rule.class(Some(&old), Some(&new));
        assert_eq!(class(RiskRule::Cap, json!(10), json!(5)), RiskClass::Lockout);
        assert_eq!(class(RiskRule::Cap, json!(5), json!(10)), RiskClass::Weakened);
        assert_eq!(
            (RiskRule::Cap.class(None, Some(&json!(5))), RiskRule::Cap.class(Some(&json!(5)), None)),
            (RiskClass::Lockout, RiskClass::Weakened)
        );
        assert_eq!(class(RiskRule::Presence, json!({"a": 1}), json!({"a": 2})), RiskClass::Routine);
        for (rule, said_off) in [
            (RiskRule::Shield, RiskClass::Weakened),
            (RiskRule::Demand, RiskClass::Weakened),
            (RiskRule::Access, RiskClass::Lockout),
            (RiskRule::Stop, RiskClass::Routine),
        ] {
            assert_eq!(rule.class(None, Some(&json!(false))), said_off);
        }
        assert_eq!(RiskRule::Identity.class(Some(&json!("a")), None), RiskClass::Lockout);
        for (old, new) in [(json!([]), json!(["a"])), (json!(["a"]), json!([])), (json!("a"), json!("b"))] {
            assert_eq!(class(RiskRule::Report, old, new), RiskClass::Weakened);
        }
    }
}
