//! Parses `migrate.toml` into tenants, or reports the position of an error. No input or output.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::network::{CaFile, ProxySetting, ProxyUrl, check_proxy};
use super::secret_command::{CommandWords, SecretCommand};
use super::variables::{Part, Prefix};
use super::{NightlyReading, SHARE, TenantSettings};
use crate::catalog::Catalog;
use crate::catalog::limits::{Rate, TIERS, Tier};
use crate::diagnostic::{Diagnostic, Text, did_you_mean, is_secret};
use crate::model::approval::{self, Approval, Approvals};
use crate::model::guard::Guard;
use crate::model::limits::ChangeLimits;

/// The keys of a tenant.
pub(super) const KEYS: &[&str] =
    &["domain", "url", "rate", "share", "source", "mapping", "hosts", "protected", "plan", SECRET_COMMAND, "ca_file", "proxy", "nightly"];
/// The keys of the table `nightly` of a tenant.
pub(super) const NIGHTLY_KEYS: &[&str] = &["read", "full_every", "log_delay"];
/// The keys of the table `plan` of a tenant.
pub(super) const PLAN_KEYS: &[&str] = &["most_changed", "most_changed_of_a_kind", "approve"];
/// The command that prints the secret, and so the only key that may be named after one.
const SECRET_COMMAND: &str = "client_secret_command";

/// Parses the text of a configuration file; paths in it are relative to its folder.
pub(super) fn read(whole: Text<'_>) -> Result<BTreeMap<String, TenantSettings>, Diagnostic> {
    let parsed = DeTable::parse(whole.text).map_err(|wrong| not_toml(whole, &wrong))?;
    let file = TomlTable { whole, place: "the configuration".to_owned(), fields: parsed.get_ref() };
    file.only(&["tenants"])?;
    let mut tenants = BTreeMap::new();
    for (name, value) in file.table("tenants")?.iter().flat_map(|tenants| tenants.fields) {
        let tenant = read_tenant(whole, name, value)?;
        let twin = tenants.values().find(|other: &&TenantSettings| other.prefix == tenant.prefix);
        if let Some(twin) = twin {
            let what = format!("tenants \"{}\" and \"{}\" would share their variables", twin.name, tenant.name);
            return Err(whole.wrong(name.span(), what, format!("both begin with {}", tenant.prefix)));
        }
        tenants.insert(tenant.name.clone(), tenant);
    }
    check_sources(whole, &file, &tenants)?;
    Ok(tenants)
}

fn not_toml(whole: Text<'_>, wrong: &toml::de::Error) -> Diagnostic {
    let at = wrong.span().unwrap_or(0..0);
    whole.wrong(at, format!("\"{}\" is not valid TOML", whole.path.display()), wrong.message())
}

fn read_tenant(whole: Text<'_>, name: &Spanned<DeString<'_>>, value: &Spanned<DeValue<'_>>) -> Result<TenantSettings, Diagnostic> {
    check_name(whole, name)?;
    let table = TomlTable::new(whole, format!("tenant \"{}\"", name.get_ref()), value)?;
    table.refuse_secrets(&Prefix::of_tenant(name.get_ref()))?;
    table.only(KEYS)?;
    let Some(domain) = table.text("domain")? else {
        let what = format!("{} has no domain", table.place);
        return Err(whole.wrong(name.span(), what, "add domain = \"..\", as the dashboard shows it"));
    };
    check_domain(domain.text).map_err(|label| whole.wrong(domain.at, format!("\"{}\" is not a tenant domain", domain.text), label))?;
    let mut tenant = TenantSettings::new(name.get_ref(), domain.text, Prefix::of_tenant(name.get_ref()));
    tenant.url = table.url()?;
    (tenant.tier, tenant.rate) = table.rate()?;
    tenant.share = table.number("share", "above 0 and at most 1", |share| share > 0.0 && share <= 1.0)?.unwrap_or(SHARE);
    tenant.source = table.text("source")?.map(|source| placed(whole, source.text));
    tenant.mapping = table.text("mapping")?.map(|mapping| whole.path.with_file_name(mapping.text));
    tenant.hosts = table.hosts()?;
    tenant.protected = table.protected()?;
    tenant.secret_command = table.secret_command()?;
    tenant.ca_file = table.ca_file()?;
    tenant.proxy = table.proxy()?;
    tenant.nightly = table.nightly()?;
    if let Some(plan) = table.table("plan")? {
        plan.only(PLAN_KEYS)?;
        let share = |key| plan.number(key, "between 0 and 1", |share| (0.0..=1.0).contains(&share));
        tenant.most_changed = ChangeLimits { of_all: share("most_changed")?, of_a_kind: share("most_changed_of_a_kind")? };
        tenant.approved = plan.approved()?;
    }
    Ok(tenant)
}

/// Returns a source as the working folder sees it: a snapshot is a path from the folder of the file.
fn placed(whole: Text<'_>, source: &str) -> String {
    if source.contains('/') { whole.path.with_file_name(source).display().to_string() } else { source.to_owned() }
}

/// Checks a name, which is used in names of folders and of variables.
fn check_name(whole: Text<'_>, name: &Spanned<DeString<'_>>) -> Result<(), Diagnostic> {
    let text = name.get_ref();
    if super::is_tenant_name(text) {
        return Ok(());
    }
    Err(whole.wrong(name.span(), format!("\"{text}\" cannot name a tenant"), "letters, digits, - and _ only"))
}

fn check_sources(whole: Text<'_>, file: &TomlTable<'_>, tenants: &BTreeMap<String, TenantSettings>) -> Result<(), Diagnostic> {
    let names: Vec<_> = tenants.keys().map(String::as_str).collect();
    for (name, value) in file.table("tenants")?.iter().flat_map(|tenants| tenants.fields) {
        let table = TomlTable::new(whole, format!("tenant \"{}\"", name.get_ref()), value)?;
        let Some(from) = table.text("source")? else { continue };
        // A snapshot is a path; anything else must be a tenant.
        if !names.contains(&from.text) && !from.text.contains('/') {
            return Err(whole.wrong(from.at, format!("unknown tenant \"{}\"", from.text), did_you_mean(from.text, &names)));
        }
    }
    Ok(())
}

/// Checks a tenant's domain; returns what is wrong with it.
pub(super) fn check_domain(domain: &str) -> Result<(), String> {
    check_host(domain, "acme-dev.eu.auth0.com")
}

/// Checks a host; returns what is wrong with it.
fn check_host(domain: &str, example: &str) -> Result<(), String> {
    let bare = domain.split_once("://").map_or(domain, |(_, rest)| rest).split(['/', ':', '?']).next().unwrap_or_default();
    let is_name = |part: &str| !part.is_empty() && part.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '-');
    if bare != domain && !bare.is_empty() {
        return Err(format!("use the bare name: {bare}"));
    }
    if domain.contains('.') && domain.split('.').all(is_name) { Ok(()) } else { Err(format!("such as {example}")) }
}

fn check_url(text: &str) -> Result<(), &'static str> {
    let Ok(url) = reqwest::Url::parse(text) else { return Err("such as http://127.0.0.1:4010") };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if !matches!(url.scheme(), "http" | "https") || !is_loopback {
        return Err("only http or https to 127.0.0.1, [::1] or localhost; a tenant elsewhere is reached by its domain");
    }
    if url.path() != "/" || url.query().is_some() || !url.username().is_empty() {
        return Err("only scheme, host and port");
    }
    Ok(())
}

/// A text of the file and its position.
struct Phrase<'text> {
    text: &'text str,
    at: Range<usize>,
}

/// A table of the file, with its name for errors.
struct TomlTable<'text> {
    whole: Text<'text>,
    place: String,
    fields: &'text DeTable<'text>,
}

impl<'text> TomlTable<'text> {
    fn new(whole: Text<'text>, place: String, value: &'text Spanned<DeValue<'text>>) -> Result<Self, Diagnostic> {
        let Some(fields) = value.get_ref().as_table() else {
            let label = format!("this is {}", a(value.get_ref().type_str()));
            return Err(whole.wrong(value.span(), format!("{place} must be a table"), label));
        };
        Ok(Self { whole, place, fields })
    }

    fn only(&self, known: &[&str]) -> Result<(), Diagnostic> {
        let unknown = self.fields.keys().find(|key| !known.contains(&key.get_ref().as_ref()));
        let Some(key) = unknown else { return Ok(()) };
        let what = format!("unknown key \"{}\" in {}", key.get_ref(), self.place);
        Err(self.whole.wrong(key.span(), what, did_you_mean(key.get_ref(), known)))
    }

    fn refuse_secrets(&self, prefix: &Prefix) -> Result<(), Diagnostic> {
        let is_credential = |key: &str| (is_secret(key) && key != SECRET_COMMAND) || key == "client_id";
        let Some(key) = self.fields.keys().find(|key| is_credential(key.get_ref())) else { return Ok(()) };
        let variable = match Part::ALL.iter().find(|part| part.key() == *key.get_ref()) {
            Some(part) => prefix.name(*part),
            None => prefix.name(Part::ClientSecret),
        };
        let what = format!("credentials of {} do not belong in this file", self.place);
        Err(self.whole.wrong(key.span(), what, format!("set {variable} in the environment or in .env")))
    }

    fn must_be(&self, key: &str, what: &str, value: &Spanned<DeValue<'_>>) -> Diagnostic {
        let label = format!("this is {}", a(value.get_ref().type_str()));
        self.whole.wrong(value.span(), format!("\"{key}\" of {} must be {what}", self.place), label)
    }

    fn text(&self, key: &str) -> Result<Option<Phrase<'text>>, Diagnostic> {
        let Some(value) = self.fields.get(key) else { return Ok(None) };
        let text = value.get_ref().as_str().ok_or_else(|| self.must_be(key, "a text", value))?;
        Ok(Some(Phrase { text, at: value.span() }))
    }

    fn number(&self, key: &str, range: &str, is_in_range: impl Fn(f64) -> bool) -> Result<Option<f64>, Diagnostic> {
        let Some(value) = self.fields.get(key) else { return Ok(None) };
        let number = number_of(value.get_ref()).ok_or_else(|| self.must_be(key, &format!("a number {range}"), value))?;
        if is_in_range(number) {
            return Ok(Some(number));
        }
        Err(self.whole.wrong(value.span(), format!("\"{key}\" of {} must be {range}", self.place), "out of range"))
    }

    fn table(&self, key: &str) -> Result<Option<TomlTable<'text>>, Diagnostic> {
        let below = |value| TomlTable::new(self.whole, format!("\"{key}\" of {}", self.place), value);
        self.fields.get(key).map(below).transpose()
    }

    fn url(&self) -> Result<Option<String>, Diagnostic> {
        let Some(url) = self.text("url")? else { return Ok(None) };
        check_url(url.text)
            .map_err(|label| self.whole.wrong(url.at, format!("\"{}\" cannot be the url of {}", url.text, self.place), label))?;
        Ok(Some(url.text.trim_end_matches('/').to_owned()))
    }

    fn rate(&self) -> Result<(Option<&'static Tier>, Option<Rate>), Diagnostic> {
        let Some(value) = self.fields.get("rate") else { return Ok((None, None)) };
        match value.get_ref() {
            DeValue::String(name) => {
                let names: Vec<_> = TIERS.iter().map(|tier| tier.name).collect();
                let unknown = || self.whole.wrong(value.span(), format!("unknown rate limit \"{name}\""), did_you_mean(name, &names));
                Tier::named(name).map(|tier| (Some(tier), None)).ok_or_else(unknown)
            }
            DeValue::Table(_) => {
                let rate = TomlTable::new(self.whole, format!("\"rate\" of {}", self.place), value)?;
                rate.only(&["burst", "per_second"])?;
                Ok((None, Some(rate.bucket(value.span())?)))
            }
            _ => Err(self.must_be("rate", "the name of a published rate or { burst = .., per_second = .. }", value)),
        }
    }

    fn bucket(&self, at: Range<usize>) -> Result<Rate, Diagnostic> {
        let burst =
            self.number("burst", "a whole number from 1 to 100000", |burst| burst.fract() == 0.0 && (1.0..=1e5).contains(&burst))?;
        let per_second = self.number("per_second", "from 0.02 to 100000", |rate| (0.02..=1e5).contains(&rate))?;
        let (Some(burst), Some(per_second)) = (burst, per_second) else {
            return Err(self.whole.wrong(
                at,
                format!("{} must set both burst and per_second", self.place),
                "{ burst = 10, per_second = 2 }",
            ));
        };
        Ok(Rate { burst: whole(burst), a_minute: whole(per_second * 60.0) })
    }

    fn secret_command(&self) -> Result<Option<SecretCommand>, Diagnostic> {
        let Some(value) = self.fields.get(SECRET_COMMAND) else { return Ok(None) };
        let words = match value.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => CommandWords::Shell(text.clone().into_owned()),
            DeValue::Array(list) if !list.is_empty() => {
                CommandWords::Words(self.texts(SECRET_COMMAND)?.iter().map(|word| word.text.to_owned()).collect())
            }
            _ => return Err(self.must_be(SECRET_COMMAND, "a command: a text for the shell, or a list of words", value)),
        };
        let folder = self.whole.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(Some(SecretCommand { words, folder: folder.to_owned(), place: self.whole.line_of(value.span().start) }))
    }

    fn nightly(&self) -> Result<NightlyReading, Diagnostic> {
        let Some(value) = self.fields.get("nightly") else { return Ok(NightlyReading::default()) };
        let read = |phrase: Phrase<'_>| match phrase.text {
            "full" => Ok(false),
            "incremental" => Ok(true),
            other => {
                let label = did_you_mean(other, &["full", "incremental"]);
                Err(self.whole.wrong(phrase.at, format!("\"{other}\" is not a way to read {}", self.place), label))
            }
        };
        if value.get_ref().is_str() {
            let is_incremental = self.text("nightly")?.map(read).transpose()?.unwrap_or_default();
            return Ok(NightlyReading { is_incremental, ..NightlyReading::default() });
        }
        if !value.get_ref().is_table() {
            return Err(self.must_be("nightly", "\"full\", \"incremental\" or { read = .., full_every = .., log_delay = .. }", value));
        }
        let nightly = TomlTable::new(self.whole, format!("\"nightly\" of {}", self.place), value)?;
        nightly.only(NIGHTLY_KEYS)?;
        let NightlyReading { full_every, log_delay, .. } = NightlyReading::default();
        Ok(NightlyReading {
            is_incremental: nightly.text("read")?.map(read).transpose()?.unwrap_or_default(),
            full_every: nightly.duration("full_every")?.unwrap_or(full_every),
            log_delay: nightly.duration("log_delay")?.unwrap_or(log_delay),
        })
    }

    fn duration(&self, key: &str) -> Result<Option<Duration>, Diagnostic> {
        let Some(Phrase { text, at }) = self.text(key)? else { return Ok(None) };
        let wrong = |error: humantime::DurationError| {
            self.whole.wrong(at, format!("\"{text}\" cannot be \"{key}\" of {}: {error}", self.place), "a time such as 1h or 7days")
        };
        humantime::parse_duration(text).map(Some).map_err(wrong)
    }

    fn ca_file(&self) -> Result<Option<CaFile>, Diagnostic> {
        let file = self.text("ca_file")?;
        Ok(file.map(|file| CaFile {
            path: self.whole.path.with_file_name(file.text),
            written: PathBuf::from(file.text),
            place: self.whole.line_of(file.at.start),
        }))
    }

    fn proxy(&self) -> Result<Option<ProxySetting>, Diagnostic> {
        let Some(Phrase { text, at }) = self.text("proxy")? else { return Ok(None) };
        let wrong = |what: String, label: &str| Err(self.whole.wrong(at.clone(), what, label));
        if self.fields.contains_key("url") {
            return wrong(format!("{} cannot have both \"url\" and \"proxy\"", self.place), "a url is on this machine, and needs no proxy");
        }
        let place = self.whole.line_of(at.start);
        match text.strip_prefix("env:") {
            Some("") => return wrong(format!("the proxy of {} names no variable", self.place), "such as env:ACME_PROXY"),
            Some(name) => return Ok(Some(ProxySetting { place, url: ProxyUrl::Variable(name.to_owned()) })),
            None => {}
        }
        match check_proxy(text) {
            Ok(url) if url.password().is_some() || !url.username().is_empty() => wrong(
                format!("credentials of the proxy of {} do not belong in this file", self.place),
                "write env:NAME, and set NAME to this URL in the environment or in .env",
            ),
            Ok(_) => Ok(Some(ProxySetting { place, url: ProxyUrl::Plain(text.to_owned()) })),
            Err(label) => wrong(format!("the proxy of {} is not valid", self.place), label),
        }
    }

    fn hosts(&self) -> Result<Vec<String>, Diagnostic> {
        let host = |phrase: &Phrase<'text>| {
            let host = phrase.text.strip_prefix("*.").unwrap_or(phrase.text);
            let wrong = |label: String| self.whole.wrong(phrase.at.clone(), format!("\"{}\" is not a host", phrase.text), label);
            check_host(host, "dev.acme.example").map(|()| host.to_ascii_lowercase()).map_err(wrong)
        };
        self.texts("hosts")?.iter().map(host).collect()
    }

    fn protected(&self) -> Result<Vec<String>, Diagnostic> {
        self.texts("protected")?.iter().map(|phrase| self.check_pattern(phrase).map(|()| phrase.text.to_owned())).collect()
    }

    /// Returns what runs on this tenant may do without a review.
    fn approved(&self) -> Result<Approvals, Diagnostic> {
        self.texts("approve")?.iter().map(|phrase| self.approval(phrase)).collect()
    }

    fn approval(&self, phrase: &Phrase<'text>) -> Result<Approval, Diagnostic> {
        let Phrase { text, at } = phrase;
        let wrong = |what: String, label: String| self.whole.wrong(at.clone(), what, label);
        let label = |error: &approval::Error| match error {
            approval::Error::Unknown(name) => did_you_mean(name, &[Guard::LockoutRisk, Guard::WeakerProtection].map(Guard::as_str)),
            approval::Error::Whole(_) | approval::Error::Pattern { .. } => "a pattern is a kind and a name".to_owned(),
        };
        let approval = Approval::read(text).map_err(|error| wrong(error.to_string(), label(&error)))?;
        if !approval.guard().requires_review() {
            let what = format!("{} cannot be approved for all runs", approval.guard());
            return Err(wrong(what, format!("use --allow {} for a single run", approval.guard())));
        }
        if let Some((guard, pattern)) = text.split_once(':') {
            self.check_pattern(&Phrase { text: pattern, at: at.start + guard.len() + 2..at.end - 1 })?;
        }
        Ok(approval)
    }

    fn texts(&self, key: &str) -> Result<Vec<Phrase<'text>>, Diagnostic> {
        let Some(value) = self.fields.get(key) else { return Ok(Vec::new()) };
        let list = value.get_ref().as_array().ok_or_else(|| self.must_be(key, "a list of texts", value))?;
        let text = |element: &'text Spanned<DeValue<'text>>| {
            let text = element.get_ref().as_str().ok_or_else(|| self.must_be(key, "a list of texts", element))?;
            Ok(Phrase { text, at: element.span() })
        };
        list.iter().map(text).collect()
    }

    /// Checks that a key pattern begins with an existing kind.
    fn check_pattern(&self, Phrase { text, at }: &Phrase<'_>) -> Result<(), Diagnostic> {
        if let Err(wrong) = glob::Pattern::new(text) {
            return Err(self.whole.wrong(at.clone(), format!("invalid pattern \"{text}\""), wrong.msg));
        }
        let kind = text.split('/').next().unwrap_or_default();
        let kinds: Vec<_> = Catalog::standard().kinds().map(|kind| kind.name).collect();
        if kind.contains(['*', '?', '[']) || kinds.contains(&kind) {
            return Ok(());
        }
        Err(self.whole.wrong(at.clone(), format!("unknown kind \"{kind}\""), did_you_mean(kind, &kinds)))
    }
}

fn number_of(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => None,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be between 1 and six million")]
fn whole(number: f64) -> u32 {
    number.round() as u32
}

fn a(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}
