//! Entries of log streams and event streams.
//!
//! Fields: `/log-streams` and `/event-streams` in Auth0's OpenAPI description of 2026-06-25, with
//! `webhook_authorization` from recordings.

use crate::catalog::kind::Kind;
use crate::catalog::quirks::Quirks;
use crate::catalog::reference::{Condition, ManualStepTemplate, Reference, RequiredSecrets};
use crate::catalog::risk::RiskClass::{Weakened, Widened};
use crate::catalog::risk::RiskRule::{Monitoring, Protection, Routine};
use crate::catalog::risk::Risks;
use crate::catalog::shape::Paging;

/// Log streams. A new one delivers at once.
///
/// The tenant suspends a stream whose deliveries fail; the schema of PATCH accepts only `active` and `paused` (auth0-deploy-cli PR 495 and
/// PR 725). A priority stream returns the filter `security`, which no request may contain (the description; seven recorded creates without
/// filters). A PATCH without `pii_config` removes it, and with it the masking.
pub(super) static LOG_STREAMS: Kind = Kind::collection("log-streams", "log stream", "/log-streams")
.titled("Log streams")
.allows_duplicates()
.distinguished_by(&["type"])
.writable("name type+! isPriority filters[]{type! name! *} pii_config!{log_fields! method! algorithm!} startFrom+ status~!
         sink{awsAccountId+ awsRegion+ azureSubscriptionId+ azureResourceGroup+ azureRegion+ httpAuthorization httpContentFormat
              httpContentType httpEndpoint httpCustomHeaders[]{header value *} datadogApiKey datadogRegion splunkDomain splunkPort splunkToken
              splunkSecure sumoSourceAddress segmentWriteKey mixpanelRegion mixpanelProjectId mixpanelServiceAccountUsername
              mixpanelServiceAccountPassword}")
.read_only(&["id", "sink.awsPartnerEventSource", "sink.azurePartnerTopic"])
.required(&["type", "sink"])
.read_modify_write(&["sink"])
.always_sent(&["pii_config"])
.written_together(&[&["status", "sink", "filters"]])
.secrets(&[
        "sink.httpAuthorization",
        "sink.datadogApiKey",
        "sink.splunkToken",
        "sink.segmentWriteKey",
        "sink.mixpanelServiceAccountPassword",
        "sink.sumoSourceAddress",
        "sink.httpCustomHeaders",
    ])
    // Every other sink needs credentials (the description; http may omit them).
.requires_secrets(&[RequiredSecrets { path: "sink", secretless_when: Some(("type", Condition::OneOf(&["http", "eventbridge", "eventgrid"]))) }])
.defaults(&[("status", "\"active\""), ("isPriority", "false")])
.scopes(&["read:log_streams"], &["create:log_streams"], &["update:log_streams"], &["delete:log_streams"])
.manual_steps(&[
        ManualStepTemplate { field: "type", when: Condition::Is("eventbridge"), what: "accept the partner event source of \"{name}\" in the AWS account" },
        ManualStepTemplate { field: "type", when: Condition::Is("eventgrid"), what: "activate the partner topic of \"{name}\" in Azure" },
    ])
.quirks(Quirks {
server_values: &[("status", &["suspended"]), ("filters[].name", &["security"])],
..Quirks::NONE })
.risk(Risks::new(
    Widened,
    Weakened,
    &[(Protection, "status pii_config"), (Monitoring, "filters sink"), (Routine, "sink.httpContentFormat sink.httpContentType *")],
));

/// The credentials of a webhook; answers contain only the method (8 recorded).
const WEBHOOK_SECRETS: &[&str] = &[
    "destination.configuration.webhook_authorization.token",
    "destination.configuration.webhook_authorization.password",
    "destination.configuration.webhook_authorization.header_value",
];

/// Event streams.
pub(super) static EVENT_STREAMS: Kind = Kind::collection("event-streams", "event stream", "/event-streams")
    .titled("Event streams")
    .paged(Paging::Checkpoint { field: "eventStreams", size: 100 })
    .distinguished_by(&["destination.type"])
    .writable(
        "name! subscriptions[]{event_type} status!
         destination!{type! configuration!{webhook_endpoint webhook_authorization{method username header_key token password header_value}
              aws_account_id+ aws_region+ action_id}}",
    )
    .read_only(&["id", "created_at", "updated_at", "destination.configuration.aws_partner_event_source"])
    .required(&["destination"])
    .replaced(&["destination"])
    .written_together(&[&["status", "destination", "subscriptions"]])
    .secrets(WEBHOOK_SECRETS)
    .write_only(WEBHOOK_SECRETS)
    .requires_secrets(&[RequiredSecrets {
        path: "destination",
        secretless_when: Some(("destination.type", Condition::OneOf(&["eventbridge", "action"]))),
    }])
    .refers(&[Reference::id("destination.configuration.action_id", "actions")])
    .unordered(&["subscriptions"])
    .defaults(&[("status", "\"enabled\"")])
    .scopes(&["read:event_streams"], &["create:event_streams"], &["update:event_streams"], &["delete:event_streams"])
    .manual_steps(&[ManualStepTemplate {
        field: "destination.type",
        when: Condition::Is("eventbridge"),
        what: "accept the partner event source of \"{name}\" in the AWS account",
    }])
    .risk(Risks::new(Widened, Weakened, &[(Protection, "status"), (Monitoring, "subscriptions destination"), (Routine, "name")]));
