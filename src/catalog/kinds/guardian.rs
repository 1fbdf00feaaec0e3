//! Entries of second factors and of the policies that require them.
//!
//! Fields: `/guardian` in Auth0's OpenAPI description of 2026-06-25. Older paths (`/guardian/factors/sms/..`) lead to
//! the same settings as newer ones (`/guardian/factors/phone/..`), so only the newer ones are called. The credentials
//! of Firebase (`fcm`, `fcmv1`) can be written but not read, so they are a manual step for tenants that send push
//! notifications directly. Three settings are in recordings and in no description: `webauthn-platform`,
//! `webauthn-roaming`, and the app that push notifications come from.

use crate::catalog::kind::Kind;
use crate::catalog::quirks::Quirks;
use crate::catalog::reference::{Condition, ManualStepTemplate};
use crate::catalog::risk::RiskClass::{self, DataLoss, Lockout, Weakened};
use crate::catalog::risk::RiskRule::{Access, Exception, Identity, Lifetime, Protection, Requirement, Routine};
use crate::catalog::risk::Risks;
use crate::catalog::shape::KeyNames;

const READ: &[&str] = &["read:guardian_factors"];
const UPDATE: &[&str] = &["update:guardian_factors"];

/// Which factors are enabled.
pub(super) static FACTORS: Kind = Kind::keyed("guardian-factors", "factor", "/guardian/factors", &["name"], KeyNames::Listed)
    .titled("Multi-factor authentication")
    .item_path("/guardian/factors/{name}")
    .put()
    .list_only()
    .distinguished_by(&["enabled"])
    .writable("name/ enabled")
    .read_only(&["trial_expired"])
    .depends_on(&["email-provider", "guardian-phone-twilio"])
    .scopes(READ, UPDATE, UPDATE, &[])
    .risk(Risks::new(Lockout, Weakened, &[(Requirement, "enabled"), (Identity, "name")]));

/// When factors are required.
pub(super) static POLICIES: Kind = Kind::singleton("guardian-policies", "MFA policies", "/guardian/policies")
    .titled("Multi-factor authentication policies")
    .put()
    .writable("policies")
    .depends_on(&["guardian-factors"])
    .unordered(&["policies"])
    .scopes(&["read:mfa_policies"], &[], &["update:mfa_policies"], &[])
    .quirks(Quirks { list_field: "policies", ..Quirks::NONE })
    .risk(Risks::new(Lockout, Weakened, &[(Requirement, "policies")]));

/// How long a second factor is remembered, and whether users are asked.
///
/// Newer than the description, as are the settings of codes below: fields, defaults and methods are those of auth0 7.1.0 (npm) and of Auth0's
/// page "Set the Guardian Settings"; all four fields are required. Neither names a scope, so those of factors are required.
pub(super) static SETTINGS: Kind = Kind::singleton("guardian-settings", "MFA settings", "/guardian/settings")
    .titled("Multi-factor authentication settings")
    .put()
    .writable("display_remember_me_checkbox remember_me_default_value mfa_session_inactivity_timeout mfa_session_overall_timeout")
    .defaults(&[
        ("display_remember_me_checkbox", "true"),
        ("remember_me_default_value", "false"),
        ("mfa_session_inactivity_timeout", "604800"),
        ("mfa_session_overall_timeout", "2592000"),
    ])
    .scopes(READ, &[], UPDATE, &[])
    .risk(Risks::new(
        RiskClass::Routine,
        DataLoss,
        &[
            (Lifetime, "mfa_session_inactivity_timeout mfa_session_overall_timeout"),
            (Exception, "remember_me_default_value"),
            (Routine, "display_remember_me_checkbox"),
        ],
    ));

/// Codes that are sent by email.
pub(super) static EMAIL_SETTINGS: Kind =
    Kind::singleton("guardian-email-settings", "email code settings", "/guardian/factors/email/settings")
        .titled("Email codes")
        .put()
        .writable("otp_length otp_expiration_time")
        .scopes(READ, &[], UPDATE, &[])
        .risk(Risks::new(RiskClass::Routine, DataLoss, &[(Protection, "otp_length"), (Lifetime, "otp_expiration_time")]));

/// Codes that are sent by phone.
pub(super) static PHONE_SETTINGS: Kind =
    Kind::singleton("guardian-phone-settings", "phone code settings", "/guardian/factors/phone/settings")
        .titled("Phone codes")
        .put()
        .writable("otp_length otp_expiration_time")
        .scopes(READ, &[], UPDATE, &[])
        .risk(Risks::new(RiskClass::Routine, DataLoss, &[(Protection, "otp_length"), (Lifetime, "otp_expiration_time")]));

/// Duo.
pub(super) static DUO: Kind = Kind::singleton("guardian-duo", "Duo settings", "/guardian/factors/duo/settings")
    .titled("Duo")
    .writable("ikey skey! host")
    .secrets(&["ikey", "skey"])
    .scopes(READ, &[], UPDATE, &[])
    .risk(Risks::TENANT_WIDE);

/// How phone messages are sent.
pub(super) static PHONE_MESSAGE_TYPES: Kind =
    Kind::singleton("guardian-phone-message-types", "phone message types", "/guardian/factors/phone/message-types")
        .titled("Phone message types")
        .put()
        .writable("message_types")
        .unordered(&["message_types"])
        .scopes(READ, &[], UPDATE, &[])
        .risk(Risks::new(RiskClass::Routine, Lockout, &[(Access, "message_types")]));

/// The provider of phone messages.
pub(super) static PHONE_PROVIDER: Kind =
    Kind::singleton("guardian-phone-selected-provider", "MFA phone provider", "/guardian/factors/phone/selected-provider")
        .titled("MFA phone provider")
        .aliases(&["/guardian/factors/sms/selected-provider"])
        .put()
        .writable("provider!")
        .depends_on(&["guardian-phone-twilio", "action-trigger-bindings"])
        .scopes(READ, &[], UPDATE, &[])
        .risk(Risks::TENANT_WIDE);

/// Twilio for phone messages.
pub(super) static PHONE_TWILIO: Kind =
    Kind::singleton("guardian-phone-twilio", "MFA Twilio settings", "/guardian/factors/phone/providers/twilio")
        .titled("MFA Twilio settings")
        .aliases(&["/guardian/factors/sms/providers/twilio"])
        .put()
        .writable("from? messaging_service_sid?! auth_token?! sid?!")
        .secrets(&["auth_token", "sid"])
        .scopes(READ, &[], UPDATE, &[])
        .risk(Risks::TENANT_WIDE);

/// The texts of phone messages.
pub(super) static PHONE_TEMPLATES: Kind =
    Kind::singleton("guardian-phone-templates", "MFA phone templates", "/guardian/factors/phone/templates")
        .titled("MFA phone templates")
        .aliases(&["/guardian/factors/sms/templates"])
        .put()
        .writable("enrollment_message verification_message")
        .scopes(READ, &[], UPDATE, &[])
        .risk(Risks::TENANT_WIDE);

/// The provider of push notifications.
pub(super) static PUSH_PROVIDER: Kind =
    Kind::singleton("guardian-push-selected-provider", "MFA push provider", "/guardian/factors/push-notification/selected-provider")
        .titled("MFA push provider")
        .put()
        .writable("provider!")
        .depends_on(&["guardian-push-apns", "guardian-push-sns"])
        .scopes(READ, &[], UPDATE, &[])
        .manual_steps(&[ManualStepTemplate {
            field: "provider",
            when: Condition::Is("direct"),
            what: "set the Firebase credentials in the target, because they cannot be copied: \
           `migrate api PATCH guardian/factors/push-notification/providers/fcmv1 --data FILE`",
        }])
        .risk(Risks::TENANT_WIDE);

/// Apple's push notifications; the certificate cannot be read.
pub(super) static PUSH_APNS: Kind =
    Kind::singleton("guardian-push-apns", "APNs settings", "/guardian/factors/push-notification/providers/apns")
        .titled("Apple push notifications")
        .writable("sandbox bundle_id?! p12?!")
        .read_only(&["enabled"])
        .secrets(&["p12"])
        .write_only(&["p12"])
        .scopes(READ, &[], UPDATE, &[])
        .risk(Risks::TENANT_WIDE);

/// Amazon's push notifications; the secret key cannot be read.
pub(super) static PUSH_SNS: Kind =
    Kind::singleton("guardian-push-sns", "SNS settings", "/guardian/factors/push-notification/providers/sns")
        .titled("Amazon SNS push notifications")
        .writable(
            "aws_access_key_id?! aws_secret_access_key?! aws_region?! sns_apns_platform_application_arn?!
             sns_gcm_platform_application_arn?!",
        )
        .secrets(&["aws_access_key_id", "aws_secret_access_key"])
        .write_only(&["aws_secret_access_key"])
        .scopes(READ, &[], UPDATE, &[])
        .risk(Risks::TENANT_WIDE);

/// Settings of WebAuthn with device authenticators.
pub(super) static WEBAUTHN_PLATFORM: Kind =
    Kind::singleton("guardian-webauthn-platform", "device authenticator settings", "/guardian/factors/webauthn-platform/settings")
        .titled("WebAuthn with device authenticators")
        .put()
        .writable("overrideRelyingParty relyingPartyIdentifier")
        .defaults(&[("overrideRelyingParty", "false")])
        .scopes(READ, &[], UPDATE, &[])
        .risk(Risks::TENANT_WIDE);

/// Settings of WebAuthn with security keys.
pub(super) static WEBAUTHN_ROAMING: Kind =
    Kind::singleton("guardian-webauthn-roaming", "security key settings", "/guardian/factors/webauthn-roaming/settings")
        .titled("WebAuthn with security keys")
        .put()
        .writable("userVerification overrideRelyingParty relyingPartyIdentifier")
        .defaults(&[("overrideRelyingParty", "false")])
        .scopes(READ, &[], UPDATE, &[])
        .risk(Risks::TENANT_WIDE);

/// The app that push notifications come from, and its download links.
pub(super) static PUSH_APP: Kind = Kind::singleton("guardian-push-app", "push notification app", "/prompts/mfa-push")
    .titled("Push notification app")
    .writable("app_name apple_app_link google_app_link")
    .scopes(&["read:prompts"], &[], &["update:prompts"], &[])
    .risk(Risks::COSMETIC);
