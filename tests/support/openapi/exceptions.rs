//! Exceptions where the OpenAPI description is narrower than the API, with the evidence that a tenant accepts them.
//!
//! A test checks the evidence of each, so that nothing is listed for convenience.

use super::{Break, sdk_additions};

/// A violation that tenants accept.
pub(crate) struct Exception {
    /// The violation: operation, place and what is wrong.
    pub(crate) broken: (&'static str, &'static str, &'static str),
    /// The evidence.
    pub(crate) proof: Proof,
}

/// The evidence that a tenant accepts something.
pub(crate) enum Proof {
    /// An accepted interaction of `recorded/traffic.jsonl.gz` with this violation: source, cassette and number in it.
    Recorded(&'static str, &'static str, u64),
    /// An operation that `catalog.md` lists as newer than the description.
    Documented(&'static str),
    /// Words in the text of the operation, which names what its parameters omit: method, path and words.
    Described(&'static str, &'static str, &'static str),
}

type Named = (&'static str, &'static str, &'static str);

const fn recorded(broken: Named, (source, cassette, number): (&'static str, &'static str, u64)) -> Exception {
    Exception { broken, proof: Proof::Recorded(source, cassette, number) }
}

const fn documented(broken: Named, operation: &'static str) -> Exception {
    Exception { broken, proof: Proof::Documented(operation) }
}

/// Every exception.
pub(crate) const EXCEPTIONS: &[Exception] = &[
    Exception { broken: ("GET /logs", "?q", "unknown parameter"), proof: Proof::Described("get", "/logs", "- **q:** Search Criteria") },
    documented(("GET", "/keys/network-acls", "no such operation"), "GET /keys/network-acls"),
    documented(("POST", "/keys/network-acls", "no such operation"), "POST /keys/network-acls"),
    documented(("GET", "/keys/network-acls/*", "no such operation"), "GET /keys/network-acls/{id}"),
    documented(("DELETE", "/keys/network-acls/*", "no such operation"), "DELETE /keys/network-acls/{id}"),
    recorded(
        ("DELETE", "/connections/*/directory-provisioning/synchronized-groups", "no such operation"),
        ("terraform-provider-auth0", "TestAccDirectorySynchronizedGroupsAsGroups.yaml", 20),
    ),
    recorded(
        ("DELETE", "/organizations/*/clients", "no such operation"),
        ("terraform-provider-auth0", "TestAccDataSourceOrganizations.yaml", 15),
    ),
    recorded(
        ("GET", "/guardian/factors/webauthn-platform/settings", "no such operation"),
        ("terraform-provider-auth0", "TestAccGuardianWebAuthnPlatform.yaml", 4),
    ),
    recorded(
        ("GET", "/guardian/factors/webauthn-roaming/settings", "no such operation"),
        ("terraform-provider-auth0", "TestAccGuardianWebAuthnRoaming.yaml", 4),
    ),
    recorded(
        ("GET", "/organizations/*/clients", "no such operation"),
        ("terraform-provider-auth0", "TestAccOrganizationClientsBatching.yaml", 26),
    ),
    recorded(
        ("GET", "/organizations/*/clients/*", "no such operation"),
        ("terraform-provider-auth0", "TestAccDataSourceOrganizations.yaml", 5),
    ),
    recorded(("GET", "/prompts/mfa-push", "no such operation"), ("go-auth0", "TestGuardian/MultiFactor/Push/CustomApp.yaml", 0)),
    recorded(
        ("GET /actions/triggers/{triggerId}/bindings", "{triggerId}", "no enum match"),
        ("auth0-deploy-cli", "should-deploy-without-deleting-resources-if-AUTH0_ALLOW_DELETE-is-false.json", 267),
    ),
    recorded(("PATCH", "/prompts/mfa-push", "no such operation"), ("go-auth0", "TestGuardian/MultiFactor/Push/CustomApp.yaml", 1)),
    recorded(
        ("PATCH /branding/themes/{themeId}", "identifiers", "unexpected field"),
        ("terraform-provider-auth0", "TestAccBrandingThemeIdentifiers.yaml", 5),
    ),
    recorded(("PATCH /clients/{id}", "addons", "wrong type: null for object"), ("terraform-provider-auth0", "TestAccClientAddons.yaml", 4)),
    recorded(
        ("PATCH /clients/{id}", "cross_origin_auth", "unexpected field"),
        ("auth0-deploy-cli@2024-08-27-88a7c498", "should-deploy-while-deleting-resources-if-AUTH0_ALLOW_DELETE-is-true.json", 11),
    ),
    recorded(
        ("PATCH /clients/{id}", "oidc_backchannel_logout", "wrong type: null for object"),
        ("terraform-provider-auth0", "TestAccClientOIDCLogout.yaml", 8),
    ),
    recorded(
        ("PATCH /clients/{id}", "signed_request_object", "wrong type: null for object"),
        ("terraform-provider-auth0", "TestAccClientAuthenticationMethodsPrivateKeyJWT.yaml", 70),
    ),
    recorded(
        ("PATCH /clients/{id}", "token_vault_privileged_access", "wrong type: null for object"),
        ("terraform-provider-auth0", "TestAccClientCredentialsTokenVaultPrivilegedAccess.yaml", 55),
    ),
    recorded(
        ("PATCH /clients/{id}", "token_vault_privileged_access.grants", "unexpected field"),
        ("terraform-provider-auth0", "TestAccClientCredentialsTokenVaultPrivilegedAccess.yaml", 6),
    ),
    recorded(
        ("PATCH /connections/{id}", "cross_app_access_resource_app", "unexpected field"),
        ("terraform-provider-auth0", "TestAccConnectionCrossAppAccessResourceApp.yaml", 4),
    ),
    recorded(
        ("PATCH /event-streams/{id}", "destination.configuration.webhook_authorization.token", "unexpected field"),
        ("terraform-provider-auth0", "TestAccEventStreamStatus.yaml", 4),
    ),
    recorded(
        ("PATCH /log-streams/{id}", "sink.datadogApiKey", "missing"),
        ("auth0-deploy-cli@2025-04-10-e106d6ef", "should-dump-and-deploy-without-throwing-an-error.json", 157),
    ),
    recorded(
        ("PATCH /organizations/{id}", "is_app_entitlement_active", "unexpected field"),
        ("terraform-provider-auth0", "TestAccOrganizationIsAppEntitlementActive.yaml", 4),
    ),
    recorded(
        ("PATCH /organizations/{id}", "third_party_client_access", "unexpected field"),
        ("terraform-provider-auth0", "TestAccOrganizationThirdPartyClientAccess.yaml", 4),
    ),
    recorded(
        ("PATCH /resource-servers/{id}", "token_lifetime_for_web", "unexpected field"),
        ("go-auth0", "TestResourceServer_TokenDialect/When_TokenDialect_is_access_token_authz_and_RBAC_enabled_should_succeed.yaml", 1),
    ),
    recorded(
        ("PATCH /tenants/settings", "flags.enable_custom_domain_in_emails", "unexpected field"),
        ("auth0-deploy-cli@2024-08-27-88a7c498", "should-deploy-while-deleting-resources-if-AUTH0_ALLOW_DELETE-is-true.json", 74),
    ),
    recorded(
        ("PATCH /tenants/settings", "flags.use_scope_descriptions_for_consent", "unexpected field"),
        ("terraform-provider-auth0", "TestAccDataSourceTenant.yaml", 0),
    ),
    recorded(
        ("PATCH /tenants/settings", "universal_login", "unexpected field"),
        ("auth0-deploy-cli", "should-deploy-directory-(JSON)-config-with-keyword-replacements.json", 0),
    ),
    recorded(
        ("POST", "/connections/*/directory-provisioning/synchronized-groups", "no such operation"),
        ("terraform-provider-auth0", "TestAccDirectorySynchronizedGroupsAsGroups.yaml", 12),
    ),
    recorded(
        ("POST", "/organizations/*/clients", "no such operation"),
        ("terraform-provider-auth0", "TestAccDataSourceOrganizations.yaml", 4),
    ),
    recorded(
        ("POST /branding/themes", "identifiers", "unexpected field"),
        ("terraform-provider-auth0", "TestAccBrandingThemeIdentifiers.yaml", 1),
    ),
    recorded(
        ("POST /clients", "cross_origin_auth", "unexpected field"),
        ("auth0-deploy-cli@2024-08-27-88a7c498", "should-deploy-while-deleting-resources-if-AUTH0_ALLOW_DELETE-is-true.json", 89),
    ),
    recorded(
        ("POST /connections", "cross_app_access_resource_app", "unexpected field"),
        ("terraform-provider-auth0", "TestAccConnectionCrossAppAccessResourceApp.yaml", 0),
    ),
    recorded(
        ("POST /event-streams", "destination.configuration.webhook_authorization.token", "unexpected field"),
        ("terraform-provider-auth0", "TestAccDataSourceEventStream.yaml", 9),
    ),
    recorded(("POST /forms", "description", "unexpected field"), ("go-auth0", "TestFormManager_Create.yaml", 0)),
    recorded(("POST /forms", "style.theme", "unexpected field"), ("go-auth0", "TestFormManager_Create.yaml", 0)),
    recorded(("POST /forms", "style.version", "unexpected field"), ("go-auth0", "TestFormManager_Create.yaml", 0)),
    recorded(
        ("POST /network-acls", "rule.match.auth0_managed", "unexpected field"),
        ("go-auth0", "TestNetworkACLManager_CreateWithAuth0Managed.yaml", 0),
    ),
    recorded(
        ("POST /organizations", "is_app_entitlement_active", "unexpected field"),
        ("terraform-provider-auth0", "TestAccDataSourceClientGrantOrganizations.yaml", 1),
    ),
    recorded(("POST /resource-servers", "token_lifetime_for_web", "unexpected field"), ("go-auth0", "TestClientGrantManager_List.yaml", 1)),
    recorded(
        ("POST /roles", "owner_id", "unexpected field"),
        ("terraform-provider-auth0", "TestAccDataSourceOrganizationRoleMembers.yaml", 2),
    ),
    recorded(("POST /roles", "type", "unexpected field"), ("terraform-provider-auth0", "TestAccDataSourceOrganizationRoleMembers.yaml", 2)),
    recorded(("POST /rules", "stage", "unexpected field"), ("ruby-auth0", "Auth0_Api_V2_Rules/create_test_disabled_rule.yml", 0)),
    recorded(
        ("PUT", "/guardian/factors/webauthn-platform/settings", "no such operation"),
        ("go-auth0", "TestGuardian/MultiFactor/WebAuthn_Platform/Settings.yaml", 1),
    ),
    recorded(
        ("PUT", "/guardian/factors/webauthn-roaming/settings", "no such operation"),
        ("go-auth0", "TestGuardian/MultiFactor/WebAuthn_Roaming/Settings.yaml", 1),
    ),
];

/// Returns whether tenants accept a violation: there is evidence, or Auth0's newest SDK sends it.
pub(crate) fn allow(broken: &Break) -> bool {
    let named = (broken.operation.as_str(), broken.place.as_str(), broken.what.as_str());
    EXCEPTIONS.iter().any(|one| one.broken == named) || sdk_additions::is_sent(named.0, named.1, named.2)
}
