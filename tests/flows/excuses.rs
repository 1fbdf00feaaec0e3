//! Why anything may be left out at all: every reason that a plan gives must stand here, with why it cannot be otherwise.

use migrate::plan::Plan;

/// A reason that a plan may give.
struct Excuse {
    /// A piece of its text.
    says: &'static str,
    /// The kinds it may be given for.
    kinds: &'static [&'static str],
    /// Where it may be given.
    within: Within,
    /// Why nothing can be done about it.
    #[expect(dead_code, reason = "it is written for people")]
    why: &'static str,
}

/// Where a reason may be given.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Within {
    /// Anywhere.
    Any,
    /// Only where several tenants were mixed into one recording: references dangle in it, and names stand twice.
    Mixed,
}

const fn excuse(says: &'static str, kinds: &'static [&'static str], within: Within, why: &'static str) -> Excuse {
    Excuse { says, kinds, within, why }
}

const EXCUSES: &[Excuse] = &[
    excuse(
        "which the source does not have",
        &["clients", "client-grants", "connections", "connection-clients"],
        Within::Mixed,
        "it dangles",
    ),
    excuse("which the target does not have", &["client-grants"], Within::Any, "three recordings lack even the tenant's own API"),
    excuse("are not covered yet", &["clients", "connections"], Within::Mixed, "its kind comes with a later issue"),
    excuse("the resource it belongs to is left out", &["connection-clients"], Within::Mixed, "there is nothing to hang it on"),
    excuse("and no tenant takes two", &["resource-servers", "connections"], Within::Mixed, "the API answers 409"),
    excuse(
        "the API has no way to clear it",
        &["tenant-settings", "email-templates"],
        Within::Any,
        "null is refused, no value means nothing",
    ),
    excuse("only be set when the resource is created", &["clients"], Within::Mixed, "an update with it is refused"),
    excuse("rules ended", &["rules"], Within::Any, "the API refuses to create one"),
    excuse("it is the tenant's own", &["clients", "client-grants", "resource-servers"], Within::Any, "the API refuses to write it"),
    excuse("it registers itself", &["clients"], Within::Any, "it follows a document that only its owner writes"),
    excuse("it belongs to one organization", &["roles"], Within::Any, "organizations come with a later issue"),
    excuse("the source does not say it", &["clients"], Within::Mixed, "the recorder lost it; every client has it"),
    excuse("only the target has it", &["connections"], Within::Any, "cleared, the server fills it in again"),
];

/// Returns what a plan leaves out for a reason that does not stand here.
pub(crate) fn unheard_of(plan: &Plan, within: Within) -> Vec<String> {
    let told = plan.left_out.iter().chain(&plan.left_alone);
    let is_known = |kind: &str, because: &str| {
        EXCUSES
            .iter()
            .any(|one| because.contains(one.says) && one.kinds.contains(&kind) && (one.within == within || one.within == Within::Any))
    };
    let unheard = told.filter(|left| !is_known(left.key.kind(), &left.because));
    unheard.map(|left| format!("{} is left out for a reason that is not known: {}", left.key, left.because)).collect()
}
