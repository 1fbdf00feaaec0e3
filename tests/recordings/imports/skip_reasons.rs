//! Every reason for which a plan may skip something, and why it cannot be avoided.

use auth0_migrate::plan::Plan;

/// An accepted reason.
struct Excuse {
    /// Part of its text.
    says: &'static str,
    /// The kinds for which it is accepted.
    kinds: &'static [&'static str],
    /// In which tenants it is accepted.
    within: Within,
    /// Why it cannot be avoided.
    #[expect(dead_code, reason = "it is written for people")]
    why: &'static str,
}

/// In which tenants a reason is accepted.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Within {
    /// In all.
    Any,
    /// Only if several tenants were mixed into one recording, with dangling references and duplicate names.
    Mixed,
}

const fn excuse(says: &'static str, kinds: &'static [&'static str], within: Within, why: &'static str) -> Excuse {
    Excuse { says, kinds, within, why }
}

/// Singletons that some recordings do not contain.
const SINGLETONS: &[&str] = &[
    "attack-protection-bot-detection",
    "attack-protection-breached-password-detection",
    "attack-protection-brute-force-protection",
    "attack-protection-captcha",
    "attack-protection-phone-provider-protection",
    "attack-protection-suspicious-ip-throttling",
    "branding",
    "custom-domains-default",
    "guardian-email-settings",
    "guardian-phone-message-types",
    "guardian-phone-selected-provider",
    "guardian-phone-settings",
    "guardian-phone-templates",
    "guardian-phone-twilio",
    "guardian-push-apns",
    "guardian-push-app",
    "guardian-push-selected-provider",
    "guardian-push-sns",
    "guardian-settings",
    "guardian-webauthn-platform",
    "guardian-webauthn-roaming",
    "prompts",
    "risk-assessment-new-device",
    "risk-assessment-settings",
    "supplemental-signals",
    "tenant-settings",
];

const EXCUSES: &[Excuse] = &[
    excuse(
        "which the source does not have",
        &["clients", "client-grants", "connections", "connection-clients"],
        Within::Mixed,
        "it dangles",
    ),
    excuse(
        "which the target does not have",
        &["client-grants", "connection-clients", "self-service-custom-text"],
        Within::Any,
        "three recordings lack even the tenant's own API; others name what a person has to tell apart first",
    ),
    excuse("are not covered yet", &["clients", "connections"], Within::Mixed, "its kind comes with a later issue"),
    excuse("the resource that it belongs to is not copied", &["connection-clients"], Within::Mixed, "there is nothing to hang it on"),
    excuse("which must be unique", &["resource-servers", "connections"], Within::Mixed, "the API answers 409"),
    excuse(
        "the API has no way to clear it",
        &[
            "tenant-settings",
            "email-templates",
            "email-provider",
            "phone-templates",
            "attack-protection-suspicious-ip-throttling",
            "attack-protection-captcha",
        ],
        Within::Any,
        "null is refused, no value means nothing; stages of throttling are only added to",
    ),
    excuse("only be set when the resource is created", &["clients"], Within::Mixed, "an update with it is refused"),
    excuse("every tenant has one", &["client-login-page"], Within::Any, "two recordings are without their tenant's global client"),
    excuse(
        "is ambiguous",
        &["clients", "flow-vault-connections", "flows", "forms", "log-streams", "self-service-profiles"],
        Within::Any,
        "a person has to say it",
    ),
    excuse("cannot be created without its", &["event-streams"], Within::Any, "the secret of its webhook cannot be read"),
    excuse("which must be unique", &["token-exchange-profiles", "event-streams"], Within::Mixed, "the API answers 409"),
    excuse("the resource in the target authenticates with keys", &["clients"], Within::Any, "the API refuses to write it"),
    excuse("hooks reached end of life", &["hooks"], Within::Any, "the API refuses to create one"),
    excuse("rules reached end of life", &["rules"], Within::Any, "the API refuses to create one"),
    excuse("it is the tenant's own", &["clients", "client-grants", "resource-servers"], Within::Any, "the API refuses to write it"),
    excuse("a third party registered it", &["clients"], Within::Any, "it is copied where --include third-party asks for it"),
    excuse("is excluded", &["client-grants", "connection-clients", "clients"], Within::Any, "what it names is left alone"),
    excuse("it is registered by a client metadata document", &["clients"], Within::Any, "it follows a document that only its owner writes"),
    excuse("it belongs to one organization", &["roles"], Within::Any, "organizations come with a later issue"),
    excuse(
        "it is not set in the source",
        &["clients", "tenant-settings"],
        Within::Mixed,
        "the recorder lost it, or another age of tenant has it",
    ),
    excuse("it is set only in the target", &["connections"], Within::Any, "cleared, the server fills it in again"),
    excuse(
        "it cannot be created without its",
        &["email-provider", "phone-providers", "log-streams", "flow-vault-connections", "connections"],
        Within::Any,
        "no answer holds the secret that it needs, and no rule supplies it here",
    ),
    excuse(
        "cannot be written without its secret",
        &[
            "email-provider",
            "phone-providers",
            "event-streams",
            "attack-protection-captcha",
            "action-modules",
            "clients",
            "connections",
            "resource-servers",
        ],
        Within::Any,
        "it is replaced, secret and all, and the API refuses it without",
    ),
    excuse("the source has no settings for it", SINGLETONS, Within::Any, "an answer of an older day, or a setting that was never made"),
    excuse("the token lacks the scope", &["rate-limit-policies", "organization-clients"], Within::Any, "the recorded token lacked it"),
    excuse(
        "which must be unique",
        &["phone-providers", "phone-templates", "network-acls", "rate-limit-policies"],
        Within::Mixed,
        "a message, a priority and a selector have one",
    ),
];

/// Returns what a plan skips for a reason that is not accepted.
pub(crate) fn unheard_of(plan: &Plan, within: Within) -> Vec<String> {
    let told = plan.skipped.iter().chain(&plan.excluded);
    let is_known = |kind: &str, reason: &str| {
        EXCUSES
            .iter()
            .any(|one| reason.contains(one.says) && one.kinds.contains(&kind) && (one.within == within || one.within == Within::Any))
    };
    let unheard = told.filter(|left| !is_known(left.key.kind().name, &left.reason));
    unheard.map(|left| format!("{} is left out for a reason that is not known: {}", left.key, left.reason)).collect()
}
