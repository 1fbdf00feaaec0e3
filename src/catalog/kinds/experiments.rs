//! Entries of experiments with the login and of verifiable credentials: betas that few tenants have.
//!
//! Fields: `/experimentation` and `/verifiable-credentials` in Auth0's OpenAPI description of 2026-06-25. No recording
//! contains either.

use crate::catalog::kind::Kind;
use crate::catalog::reference::{Condition, Exclusion, Reference};
use crate::catalog::risk::Risks;
use crate::catalog::shape::Paging;

const SCOPES: [&[&str]; 4] =
    [&["read:experimentation"], &["create:experimentation"], &["update:experimentation"], &["delete:experimentation"]];

/// Feature flags.
pub(super) static FLAGS: Kind = Kind::collection("experimentation-feature-flags", "feature flag", "/experimentation/feature-flags")
    .titled("Feature flags")
    .paged(Paging::Checkpoint { field: "feature_flags", size: 50 })
    .writable("name! description?! parameters!{*}")
    .read_only(&["id", "created_at", "status", "type", "updated_at"])
    .required(&["name", "parameters"])
    .replaced(&["parameters"])
    .scopes(SCOPES[0], SCOPES[1], SCOPES[2], SCOPES[3])
    .excluded(&[Exclusion::always("type", Condition::Is("auth0"), "it is Auth0's own")])
    .risk(Risks::COSMETIC);

/// The variations of each feature flag.
pub(super) static VARIATIONS: Kind = Kind::nested(
    "experimentation-variations",
    "variation of feature flag",
    "/experimentation/feature-flags/{flag}/variations",
    "experimentation-feature-flags",
)
.titled("Feature flag variations")
.paged(Paging::In { field: "variations" })
.keyed_by(&["flag", "name"])
.writable("flag/ name! description?! overrides{*}")
.read_only(&["id", "created_at", "updated_at"])
.required(&["flag", "name"])
.replaced(&["overrides"])
.refers(&[Reference::id("flag", "experimentation-feature-flags")])
.scopes(SCOPES[0], SCOPES[1], SCOPES[2], SCOPES[3])
.risk(Risks::COSMETIC);

/// Which users an experiment includes.
pub(super) static SEGMENTS: Kind = Kind::collection("experimentation-segments", "segment", "/experimentation/segments")
    .titled("Segments")
    .paged(Paging::Checkpoint { field: "segments", size: 50 })
    .writable("name! description?! rules![]{match!{*} not_match!{*}}")
    .read_only(&["id", "created_at", "type", "updated_at"])
    .required(&["name", "rules"])
    .refers(&[
        Reference::id("rules[].match.client_id[]", "clients"),
        Reference::id("rules[].not_match.client_id[]", "clients"),
        Reference::key("rules[].match.connection[]", "connections"),
        Reference::key("rules[].not_match.connection[]", "connections"),
        Reference::id("rules[].match.organization_id[]", "organizations"),
        Reference::id("rules[].not_match.organization_id[]", "organizations"),
    ])
    .scopes(SCOPES[0], SCOPES[1], SCOPES[2], SCOPES[3])
    .excluded(&[Exclusion::always("type", Condition::Is("auth0"), "it is Auth0's own")])
    .risk(Risks::COSMETIC);

/// Experiments. Whether one is running is not copied: a person starts it.
pub(super) static EXPERIMENTS: Kind = Kind::collection("experimentation-experiments", "experiment", "/experimentation/experiments")
    .titled("Experiments")
    .paged(Paging::Checkpoint { field: "experiments", size: 50 })
    .writable(
        "name! description?! feature_flag_id+! authentication_flow+ allocation_strategy+! assignment_config!{subject!}
         allocations![]{variation_id! weight segment_id! priority is_control is_fallback}",
    )
    .read_only(&["id", "created_at", "ended_at", "is_valid", "started_at", "status", "updated_at"])
    .required(&["name", "feature_flag_id", "authentication_flow", "allocation_strategy", "assignment_config", "allocations"])
    .replaced(&["assignment_config"])
    .refers(&[
        Reference::id("feature_flag_id", "experimentation-feature-flags"),
        Reference::id("allocations[].variation_id", "experimentation-variations"),
        Reference::id("allocations[].segment_id", "experimentation-segments"),
    ])
    .scopes(SCOPES[0], SCOPES[1], SCOPES[2], SCOPES[3])
    .risk(Risks::COSMETIC);

/// Templates of verifiable credentials.
pub(super) static CREDENTIAL_TEMPLATES: Kind =
    Kind::collection("verifiable-credential-templates", "verifiable credential template", "/verifiable-credentials/verification/templates")
        .titled("Verifiable credential templates")
        .paged(Paging::Checkpoint { field: "templates", size: 100 })
        .writable("name?! type?! dialect?! presentation!{*} custom_certificate_authority+! well_known_trusted_issuers?! version~?")
        .read_only(&["id", "created_at", "updated_at"])
        .required(&["name", "type", "dialect", "presentation", "well_known_trusted_issuers"])
        .replaced(&["presentation"])
        .scopes(&["read:vdcs_templates"], &["create:vdcs_templates"], &["update:vdcs_templates"], &["delete:vdcs_templates"])
        .risk(Risks::SIGN_IN);
