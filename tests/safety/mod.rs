//! What must never happen: leaked secrets, values of the source in the target, unapproved risks, and harm from hostile input.

mod canary_secrets;
mod fuzz_seeds;
mod generated_secrets;
mod hostile_input;
mod ids_of_deleted_resources;
mod lockout_approval;
mod log_file;
mod network_and_file_access;
mod plan_approval;
mod private_authority_and_proxy;
mod protected_resources;
pub(crate) mod random_tenants;
mod report_pages;
mod selected_imports;
mod source_leaks;
mod supplied_secrets;
mod unattended_risks;
pub(crate) mod undeclared_secrets;
mod undeclared_secrets_of_openapi;
mod untouched_resources;
