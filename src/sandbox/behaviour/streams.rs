//! Behaviour of log streams and event streams.

use serde_json::{Value, json};

use super::server_behaviour::{CATALOG_ONLY, ServerBehaviour, WriteContext};
use crate::json::{Body, is_blank};

pub(crate) static BEHAVIOURS: &[ServerBehaviour] = &[
    ServerBehaviour {
        kind: "log-streams",
        statuses: (200, 204),
        // An update of only the region kept the key (auth0-deploy-cli@2025-04-10, should-dump-and-deploy).
        deep_merged: &["sink"],
        required_if: &[
            ("type", "datadog", "sink.datadogApiKey"),
            ("type", "splunk", "sink.splunkToken"),
            ("type", "sumo", "sink.sumoSourceAddress"),
            ("type", "segment", "sink.segmentWriteKey"),
            ("type", "mixpanel", "sink.mixpanelServiceAccountPassword"),
        ],
        on_create: |_, stream, context| {
            if stream.text("type") == Some("eventbridge") {
                stream.set("sink.awsPartnerEventSource", partner(context, "logs"));
            }
            keep_filters(stream);
            mask(stream);
        },
        on_update: |_, _, stream, _| {
            keep_filters(stream);
            mask(stream);
        },
        ..CATALOG_ONLY
    },
    ServerBehaviour {
        kind: "event-streams",
        on_create: |_, stream, context| {
            if stream.text("destination.type") == Some("eventbridge") {
                stream.set("destination.configuration.aws_partner_event_source", partner(context, "events"));
            }
        },
        required_if: &[
            ("destination.configuration.webhook_authorization.method", "bearer", "destination.configuration.webhook_authorization.token"),
            ("destination.configuration.webhook_authorization.method", "basic", "destination.configuration.webhook_authorization.password"),
            (
                "destination.configuration.webhook_authorization.method",
                "custom_header",
                "destination.configuration.webhook_authorization.header_value",
            ),
        ],
        write_only: &[
            "destination.configuration.webhook_authorization.token",
            "destination.configuration.webhook_authorization.password",
            "destination.configuration.webhook_authorization.header_value",
        ],
        ..CATALOG_ONLY
    },
];

/// Returns the name of a partner event source on the AWS side.
fn partner(context: &mut WriteContext<'_>, what: &str) -> Value {
    format!("aws.partner/auth0.com/{}-{}/auth0.{what}", context.tenant, context.ids.uuid()).into()
}

/// A priority stream always has the security filter; empty filters are not returned.
fn keep_filters(stream: &mut Body) {
    if stream.get("isPriority") == Some(&Value::Bool(true)) {
        stream.set("filters", json!([{"type": "category", "name": "security"}]));
    }
    stream.0.retain(|name, value| name != "filters" || !is_blank(value));
}

/// Masks the one secret of a sink, which responses never contain.
fn mask(stream: &mut Body) {
    stream.change("sink.mixpanelServiceAccountPassword", &mut |password| *password = "********".into());
}
