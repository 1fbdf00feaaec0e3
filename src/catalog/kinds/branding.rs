//! Entries of branding, pages, prompts, emails and messages.
//!
//! Fields: `/branding`, `/prompts`, `/emails/provider` and `/email-templates` in Auth0's OpenAPI description of
//! 2026-06-25, with `identifiers` of themes and `credentials.domain` of email providers from recordings.

use crate::catalog::kind::Kind;
use crate::catalog::quirks::{self, Quirks};
use crate::catalog::reference::{Condition, Reference, RequiredSecrets};
use crate::catalog::risk::RiskClass::{self, DataLoss, Lockout, Widened};
use crate::catalog::risk::RiskRule::{Access, AnyChange, Disabling, Identity, Lifetime, Routine};
use crate::catalog::risk::Risks;
use crate::catalog::shape::{KeyNames, Paging};

/// Colours, logo and font.
///
/// A PATCH without `colors` sets `identifier_first` of the prompts to false (auth0-deploy-cli#1402 and PR 1404, terraform-provider-auth0
/// PR 1510), so the colours are always sent and the prompts are written after it.
pub(super) static BRANDING: Kind = Kind::singleton("branding", "branding", "/branding")
    .titled("Branding")
    .writable("colors?!{primary? page_background?} favicon_url? logo_url? font?!{url?}")
    .always_sent(&["colors"])
    .scopes(&["read:branding"], &[], &["update:branding"], &[])
    .quirks(Quirks { resets: &["prompts"], ..Quirks::NONE })
    .risk(Risks::COSMETIC);

/// The theme of the login pages; a tenant has none until one is created.
pub(super) static THEME: Kind = Kind::singleton("branding-theme", "theme", "/branding/themes/default")
    .titled("Theme")
    .item_path("/branding/themes/{id}")
    .create_path("/branding/themes")
    .id_field("themeId")
    .writable("borders!{*} colors!{*} displayName fonts!{*} page_background!{*} widget!{*} identifiers{*}")
    .read_only(&["themeId"])
    .required(&["borders", "colors", "fonts", "page_background", "widget"])
    .replaced(&["borders", "colors", "fonts", "page_background", "widget", "identifiers"])
    .always_sent(&["borders", "colors", "displayName", "fonts", "page_background", "widget"])
    .scopes(&["read:branding"], &["update:branding"], &["update:branding"], &["delete:branding"])
    .risk(Risks::COSMETIC);

/// The page around the login box. It is read as `body`, written as `template`, and requires a custom domain.
pub(super) static PAGE_TEMPLATE: Kind =
    Kind::singleton("branding-universal-login-template", "page template", "/branding/templates/universal-login")
        .titled("Universal Login page template")
        .put()
        .optional()
        .writable("template")
        .depends_on(&["custom-domains"])
        .scopes(&["read:branding"], &["update:branding"], &["update:branding"], &["delete:branding"])
        .quirks(Quirks { edits: &[quirks::body_is_template], ..Quirks::NONE })
        .risk(Risks::new(Lockout, DataLoss, &[(AnyChange, "template")]));

/// Which login experience is used.
pub(super) static PROMPTS: Kind = Kind::singleton("prompts", "prompt settings", "/prompts")
    .titled("Prompts")
    .writable("universal_login_experience! identifier_first? webauthn_platform_first_factor?")
    .depends_on(&["branding"])
    .scopes(&["read:prompts"], &[], &["update:prompts"], &[])
    .risk(Risks::new(
        RiskClass::Routine,
        DataLoss,
        &[(AnyChange, "universal_login_experience identifier_first"), (Access, "webauthn_platform_first_factor")],
    ));

const TEXTS: &[&str] = &[
    "login",
    "login-id",
    "login-password",
    "login-passwordless",
    "login-email-verification",
    "signup",
    "signup-id",
    "signup-password",
    "phone-identifier-enrollment",
    "phone-identifier-challenge",
    "email-identifier-challenge",
    "reset-password",
    "custom-form",
    "consent",
    "customized-consent",
    "logout",
    "mfa-push",
    "mfa-otp",
    "mfa-voice",
    "mfa-phone",
    "mfa-webauthn",
    "mfa-sms",
    "mfa-email",
    "mfa-recovery-code",
    "mfa",
    "status",
    "device-flow",
    "email-verification",
    "email-otp-challenge",
    "organizations",
    "invitation",
    "common",
    "passkeys",
    "captcha",
    "brute-force-protection",
    "async-approval-flow",
    "confirmation",
];

/// The texts of each prompt in each language of the tenant; a PUT replaces all texts of one.
pub(super) static TEXTS_OF_PROMPTS: Kind = Kind::keyed(
    "prompt-custom-text",
    "text of prompt",
    "/prompts/{prompt}/custom-text/{language}",
    &["prompt", "language"],
    KeyNames::PerElement { names: TEXTS, of: "tenant-settings", list: "enabled_locales" },
)
.titled("Prompt texts")
.item_path("/prompts/{prompt}/custom-text/{language}")
.put()
.writable("prompt/ language/ *")
.not_secret(&[("**", "texts for users, named after their subject: `invalidPassword`")])
.scopes(&["read:prompts"], &["update:prompts"], &["update:prompts"], &[])
.risk(Risks::COSMETIC);

/// Parts of pages that are inserted into prompts. Limited to five reads and five writes per minute, so this is the slowest kind.
pub(super) static PARTIALS: Kind = Kind::keyed(
    "prompt-partials",
    "partials of prompt",
    "/prompts/{prompt}/partials",
    &["prompt"],
    KeyNames::Fixed(&[
        "login",
        "login-id",
        "login-password",
        "login-passwordless",
        "signup",
        "signup-id",
        "signup-password",
        "customized-consent",
        "passkeys",
    ]),
)
.titled("Prompt partials")
.item_path("/prompts/{prompt}/partials")
.put()
.writable("prompt/ *")
.not_secret(&[("**", "parts of pages, named after their position: `login-passwordless-email-code`")])
.depends_on(&["custom-domains", "branding-universal-login-template"])
.scopes(&["read:prompts"], &["update:prompts"], &["update:prompts"], &[])
.risk(Risks::new(Lockout, DataLoss, &[(AnyChange, "*")]));

/// How screens are rendered; the list contains only configured screens.
pub(super) static RENDERING: Kind =
    Kind::keyed("prompt-rendering", "rendering of screen", "/prompts/rendering", &["prompt", "screen"], KeyNames::Listed)
        .titled("Screen rendering")
        .item_path("/prompts/{prompt}/screen/{screen}/rendering")
        .paged(Paging::Offset { field: "configs", size: 100, or_checkpoint: false })
        .writable(
            "prompt/ screen/ rendering_mode! context_configuration? default_head_tags_disabled? use_page_template? head_tags?
             filters?{match_type! clients[]{id metadata{*}} organizations[]{id metadata{*}} domains[]{id metadata{*}}}",
        )
        .read_only(&["tenant"])
        .replaced(&["filters"])
        .refers(&[
            Reference::id("filters.clients[].id", "clients"),
            Reference::id("filters.organizations[].id", "organizations"),
            Reference::id("filters.domains[].id", "custom-domains"),
        ])
        .unordered(&["context_configuration"])
        .scopes(&["read:prompts"], &["update:prompts"], &["update:prompts"], &[])
        .risk(Risks::new(
            Lockout,
            Lockout,
            &[(
                AnyChange,
                "prompt screen rendering_mode context_configuration default_head_tags_disabled use_page_template head_tags filters",
            )],
        ));

/// The credentials of email providers, which no read returns: 95 recorded answers contain at most `region`, `smtp_host`, `smtp_port`,
/// `smtp_user` and `domain`.
const EMAIL_CREDENTIALS: &[&str] = &[
    "credentials.api_key",
    "credentials.accessKeyId",
    "credentials.secretAccessKey",
    "credentials.smtp_pass",
    "credentials.connectionString",
    "credentials.clientId",
    "credentials.clientSecret",
    "credentials.tenantId",
];

/// The provider that sends the tenant's emails; a tenant has none until one is configured. Its credentials cannot be
/// read.
///
/// A read returns all fields only if the request names each of them.
pub(super) static EMAIL_PROVIDER: Kind = Kind::singleton("email-provider", "email provider", "/emails/provider")
.titled("Email provider")
.create_path("/emails/provider")
.query(&[("fields", "name,enabled,credentials,settings,default_from_address"), ("include_fields", "true")])
.distinguished_by(&["name"])
.writable("name! enabled default_from_address settings?{*}
         credentials{api_key accessKeyId secretAccessKey region smtp_host smtp_port smtp_user smtp_pass domain connectionString tenantId clientId
                     clientSecret}")
.read_only(&["credentials.api_user"])
.required(&["name", "credentials"])
.replaced(&["credentials"])
    // 3 of 3 recorded updates that omitted them removed them.
.always_sent(&["settings"])
.secrets(EMAIL_CREDENTIALS)
.write_only(EMAIL_CREDENTIALS)
    // The provider `custom` is an action and needs no credentials.
.requires_secrets(&[RequiredSecrets { path: "credentials", secretless_when: Some(("name", Condition::Is("custom"))) }])
.depends_on(&["actions"])
.defaults(&[("enabled", "true")])
.scopes(&["read:email_provider"], &["create:email_provider"], &["update:email_provider"], &["delete:email_provider"])
.risk(Risks::new(Lockout, DataLoss, &[(Identity, "name default_from_address settings credentials"), (Access, "enabled")]));

/// The emails that a tenant sends; the API answers 404 `inexistent_email_template` for one that was never written.
pub(super) static EMAIL_TEMPLATES: Kind = Kind::keyed(
    "email-templates",
    "email template",
    "/email-templates",
    &["template"],
    KeyNames::Fixed(&[
        "verify_email",
        "verify_email_by_code",
        "auth_email_by_code",
        "reset_email",
        "reset_email_by_code",
        "welcome_email",
        "blocked_account",
        "stolen_credentials",
        "enrollment_email",
        "mfa_oob_code",
        "user_invitation",
        "change_password",
        "password_reset",
        "async_approval",
    ]),
)
.titled("Email templates")
.create_path("/email-templates")
.distinguished_by(&["enabled", "subject"])
.writable("template! body? from? resultUrl? subject? syntax? urlLifetimeInSeconds? includeEmailInRedirect enabled?")
.required(&["template", "body", "from", "subject", "syntax", "enabled"])
.depends_on(&["email-provider"])
.scopes(&["read:email_templates"], &["create:email_templates"], &["update:email_templates"], &[])
.risk(Risks::new(
    RiskClass::Routine,
    Lockout,
    &[
        (Identity, "template body syntax resultUrl"),
        (Access, "enabled"),
        (Lifetime, "urlLifetimeInSeconds"),
        (Routine, "from subject includeEmailInRedirect"),
    ],
));

/// The provider that sends the tenant's messages: at most one. Its credentials cannot be read.
pub(super) static PHONE_PROVIDERS: Kind = Kind::collection("phone-providers", "phone provider", "/branding/phone/providers")
    .titled("Phone provider")
    .paged(Paging::In { field: "providers" })
    .keyed_by(&[])
    .distinguished_by(&["disabled"])
    .writable("name! disabled configuration!{default_from mssid sid delivery_methods!} credentials{auth_token}")
    .read_only(&["id", "channel", "created_at", "tenant", "updated_at"])
    .required(&["name", "credentials"])
    .replaced(&["configuration", "credentials"])
    .secrets(&["credentials.auth_token"])
    .write_only(&["credentials.auth_token"])
    .requires_secrets(&[RequiredSecrets { path: "credentials", secretless_when: Some(("name", Condition::Is("custom"))) }])
    .depends_on(&["actions"])
    .unordered(&["configuration.delivery_methods"])
    .defaults(&[("disabled", "false")])
    .scopes(&["read:phone_providers"], &["create:phone_providers"], &["update:phone_providers"], &["delete:phone_providers"])
    .risk(Risks::new(Widened, DataLoss, &[(Identity, "name configuration credentials"), (Disabling, "disabled")]));

/// The messages that a tenant sends. The list contains those that were never saved without an id.
pub(super) static PHONE_TEMPLATES: Kind = Kind::collection("phone-templates", "phone template", "/branding/phone/templates")
    .titled("Phone templates")
    .paged(Paging::In { field: "templates" })
    .keyed_by(&["type"])
    .writable("type+! disabled content!{syntax+ from! body!{text! voice!}}")
    .read_only(&["id", "channel", "customizable", "created_at", "tenant", "updated_at"])
    .required(&["type"])
    .depends_on(&["phone-providers"])
    // Four recorded creates without a syntax returned this one.
    .defaults(&[("disabled", "false"), ("content.syntax", "\"liquid\"")])
    .scopes(&["read:phone_templates"], &["create:phone_templates"], &["update:phone_templates"], &["delete:phone_templates"])
    .quirks(Quirks { has_presets: true, ..Quirks::NONE })
    .risk(Risks::new(RiskClass::Routine, DataLoss, &[(Identity, "type"), (Disabling, "disabled"), (AnyChange, "content")]));
