//! What a change may cost: may it keep somebody from signing in, weaken a protection, lose data, or add access?
//!
//! Every writable field of every kind stands in `risks.rs` under a rule, and the rule says by direction what an edit of it is. A field without
//! a rule fails a test, so that a new one is thought about before it is copied.

use serde_json::Value;

/// What a change may cost, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
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
pub enum Rule {
    /// It changes what people see, and nothing else.
    Routine,
    /// What may be used: less of it locks out, more of it widens.
    Access,
    /// By what two sides know each other, or code that decides: any change of what stands there may lock out.
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
}

/// Where a value went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    More,
    Less,
    /// Something else, or more and less at once.
    Other,
}

impl Rule {
    /// Returns the class of an edit; `old` is what the target holds, or has by default where it holds nothing.
    pub fn class(self, old: Option<&Value>, new: Option<&Value>) -> Class {
        match (self, direction(old, new)) {
            (Self::Routine, _) | (Self::Shield, Direction::More) => Class::Routine,
            (Self::Access, Direction::More) => Class::Widened,
            // What was not there before is nobody's yet.
            (Self::Identity, _) if is_nothing(old) => Class::Widened,
            (Self::Access | Self::Identity | Self::Bound, _) => Class::Lockout,
            (Self::Demand, Direction::Less) | (Self::Exception | Self::Lifetime, Direction::More) | (Self::Shield, _) => Class::Weakened,
            (Self::Demand | Self::Exception | Self::Lifetime, _) => Class::Lockout,
        }
    }
}

fn is_nothing(value: Option<&Value>) -> bool {
    value.is_none_or(crate::body::is_blank)
}

fn direction(old: Option<&Value>, new: Option<&Value>) -> Direction {
    match (old, new) {
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            let (gone, come) = (old.iter().any(|one| !new.contains(one)), new.iter().any(|one| !old.contains(one)));
            match (gone, come) {
                (false, true) => Direction::More,
                (true, false) => Direction::Less,
                _ => Direction::Other,
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
        (None, Some(Value::Bool(false))) => Direction::Less,
        (Some(Value::Bool(false)), None) => Direction::Other,
        (old, new) if is_nothing(old) && !is_nothing(new) => Direction::More,
        (old, new) if !is_nothing(old) && is_nothing(new) => Direction::Less,
        _ => Direction::Other,
    }
}

/// What changes of a kind's resources may cost.
#[derive(Debug, Clone, Copy)]
pub struct Risks {
    /// What a new one is.
    pub created: Class,
    /// What it is, besides lost data, that one goes.
    pub removed: Class,
    /// Rules, each with the fields it is about, separated by blanks; a path stands for all that lies below it and no longer path names.
    pub fields: &'static [(Rule, &'static str)],
}

impl Risks {
    /// Returns the rule of a path: that of the longest path which covers it.
    pub fn rule(&self, path: &str) -> Option<Rule> {
        let covering = |(rule, paths): &(Rule, &'static str)| {
            let longest = paths.split_whitespace().filter(|one| crate::body::covers(one, path)).map(str::len).max()?;
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
        let class = |rule: Rule, old: Value, new: Value| rule.class(Some(&old), Some(&new));
        assert_eq!(class(Rule::Access, json!(["a", "b"]), json!(["a"])), Class::Lockout);
        assert_eq!(class(Rule::Access, json!(["a"]), json!(["a", "b"])), Class::Widened);
        assert_eq!(class(Rule::Access, json!(["a"]), json!(["b"])), Class::Lockout);
        assert_eq!(class(Rule::Demand, json!(false), json!(true)), Class::Lockout);
        assert_eq!(class(Rule::Demand, json!(true), json!(false)), Class::Weakened);
        assert_eq!(class(Rule::Shield, json!(true), json!(false)), Class::Weakened);
        assert_eq!(class(Rule::Shield, json!(false), json!(true)), Class::Routine);
        assert_eq!(class(Rule::Lifetime, json!(60), json!(30)), Class::Lockout);
        assert_eq!(class(Rule::Lifetime, json!(30), json!(60)), Class::Weakened);
        assert_eq!(class(Rule::Exception, json!([]), json!(["1.2.3.4"])), Class::Weakened);
        assert_eq!(class(Rule::Identity, json!("a"), json!("b")), Class::Lockout);
        assert_eq!(Rule::Identity.class(None, Some(&json!("b"))), Class::Widened);
        assert_eq!(Rule::Identity.class(Some(&json!("a")), None), Class::Lockout);
    }
}
