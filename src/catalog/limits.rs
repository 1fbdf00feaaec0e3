//! Published rate limits: a token bucket for the tenant and one for each endpoint group, by subscription.
//!
//! Source: Auth0's pages "Rate Limit Configurations", one per subscription; each tier names its page. Contracts may differ, so the headers of
//! each answer correct the limits. Groups of requests that `migrate` never sends (users, logs, members) are omitted.

/// Whether a request reads or writes, which have different limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallType {
    /// GET.
    Read,
    /// POST, PATCH, PUT, DELETE.
    Write,
}

/// A token bucket of `burst` requests, refilled evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests that may be sent at once.
    pub burst: u32,
    /// Requests per minute after that.
    pub a_minute: u32,
}

/// The limit of one endpoint group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The path under `/api/v2`; `{..}` matches one segment.
    pub path: &'static str,
    /// Which requests it counts.
    pub calls: CallType,
    /// Its bucket.
    pub rate: Rate,
}

impl Limit {
    const fn new(path: &'static str, calls: CallType, burst: u32, a_minute: u32) -> Self {
        Self { path, calls, rate: Rate { burst, a_minute } }
    }

    /// Returns what it counts, in words: `prompt partials`.
    #[must_use]
    pub fn subject(&self) -> String {
        let mut words: Vec<String> = self
            .path
            .split('/')
            .filter(|part| !part.is_empty() && !part.starts_with('{'))
            .map(|part| part.replace(['-', '_'], " "))
            .collect();
        let above = words.len().saturating_sub(1);
        for word in &mut words[..above] {
            *word = word.trim_end_matches('s').to_owned();
        }
        words.join(" ")
    }
}

/// The rate limits of one subscription.
#[derive(Debug)]
pub struct Tier {
    /// The name used in `migrate.toml`.
    pub name: &'static str,
    /// The bucket of the whole Management API.
    pub tenant: Rate,
    /// The buckets of endpoint groups, which apply in addition.
    pub endpoints: &'static [Limit],
}

/// The endpoint groups of enterprise subscriptions, in production and in development.
const ENTERPRISE: &[Limit] = &[
    Limit::new("/organizations", CallType::Read, 10, 100),
    Limit::new("/organizations/{id}", CallType::Read, 10, 100),
    Limit::new("/organizations/name/{name}", CallType::Read, 20, 200),
    Limit::new("/organizations", CallType::Write, 5, 150),
    Limit::new("/organizations/{id}/enabled_connections", CallType::Read, 10, 100),
    Limit::new("/organizations/{id}/enabled_connections", CallType::Write, 5, 150),
    Limit::new("/custom-domains/{id}/verify", CallType::Write, 5, 5),
    Limit::new("/prompts/{prompt}/partials", CallType::Read, 5, 5),
    Limit::new("/prompts/{prompt}/partials", CallType::Write, 5, 5),
    Limit::new("/organizations/{id}/client-grants", CallType::Read, 10, 100),
    Limit::new("/organizations/{id}/client-grants", CallType::Write, 5, 150),
    Limit::new("/email-templates", CallType::Write, 10, 100),
    Limit::new("/email-templates", CallType::Read, 15, 150),
    Limit::new("/emails/provider", CallType::Write, 10, 100),
    Limit::new("/emails/provider", CallType::Read, 15, 150),
    Limit::new("/token-exchange-profiles", CallType::Write, 5, 100),
    Limit::new("/token-exchange-profiles", CallType::Read, 20, 200),
];

/// What is known of a tenant's limits before anything is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct KnownLimits {
    /// The subscription, if known.
    pub tier: Option<&'static Tier>,
    /// The share of its endpoint groups' buckets that is used.
    pub share: f64,
    /// The requests per second that the share of the tenant's own bucket allows, if known.
    pub per_second: Option<f64>,
}

impl PartialEq for Tier {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// Every published tier, smallest first.
pub(crate) static TIERS: &[Tier] = &[
    Tier {
        // Page: free-public.
        name: "free",
        tenant: Rate { burst: 2, a_minute: 120 },
        endpoints: &[
            Limit::new("/custom-domains/{id}/verify", CallType::Write, 5, 5),
            Limit::new("/email-templates", CallType::Write, 5, 25),
            Limit::new("/email-templates", CallType::Read, 10, 50),
            Limit::new("/emails/provider", CallType::Write, 5, 25),
            Limit::new("/emails/provider", CallType::Read, 5, 25),
        ],
    },
    Tier {
        // Page: essentials-professional-b2b.
        name: "essentials",
        tenant: Rate { burst: 10, a_minute: 150 },
        endpoints: &[
            Limit::new("/organizations", CallType::Read, 5, 50),
            Limit::new("/organizations/{id}", CallType::Read, 20, 200),
            Limit::new("/organizations/name/{name}", CallType::Read, 10, 100),
            Limit::new("/organizations", CallType::Write, 5, 25),
            Limit::new("/organizations/{id}/enabled_connections", CallType::Read, 5, 50),
            Limit::new("/organizations/{id}/enabled_connections", CallType::Write, 5, 25),
            Limit::new("/clients", CallType::Read, 5, 100),
            Limit::new("/connections", CallType::Read, 5, 50),
            Limit::new("/custom-domains/{id}/verify", CallType::Write, 5, 5),
            Limit::new("/prompts/{prompt}/partials", CallType::Read, 5, 5),
            Limit::new("/prompts/{prompt}/partials", CallType::Write, 5, 5),
            Limit::new("/organizations/{id}/client-grants", CallType::Read, 10, 100),
            Limit::new("/organizations/{id}/client-grants", CallType::Write, 5, 150),
            Limit::new("/email-templates", CallType::Write, 5, 25),
            Limit::new("/email-templates", CallType::Read, 10, 50),
            Limit::new("/emails/provider", CallType::Write, 5, 25),
            Limit::new("/emails/provider", CallType::Read, 5, 25),
            Limit::new("/token-exchange-profiles", CallType::Write, 5, 100),
            Limit::new("/token-exchange-profiles", CallType::Read, 20, 200),
        ],
    },
    // Page: enterprise-public.
    Tier { name: "enterprise", tenant: Rate { burst: 50, a_minute: 960 }, endpoints: ENTERPRISE },
    // Page: enterprise-public.
    Tier { name: "enterprise-dev", tenant: Rate { burst: 10, a_minute: 120 }, endpoints: ENTERPRISE },
    Tier {
        // Page: tier-20-development-private-cloud.
        name: "private-20",
        tenant: Rate { burst: 20, a_minute: 1200 },
        endpoints: &[
            Limit::new("/organizations", CallType::Read, 10, 100),
            Limit::new("/organizations/{id}", CallType::Read, 40, 500),
            Limit::new("/organizations/name/{name}", CallType::Read, 20, 200),
            Limit::new("/organizations", CallType::Write, 5, 150),
            Limit::new("/organizations/{id}/enabled_connections", CallType::Read, 10, 100),
            Limit::new("/organizations/{id}/enabled_connections", CallType::Write, 5, 150),
            Limit::new("/custom-domains/{id}/verify", CallType::Write, 5, 5),
            Limit::new("/prompts/{prompt}/partials", CallType::Read, 5, 5),
            Limit::new("/prompts/{prompt}/partials", CallType::Write, 5, 5),
            Limit::new("/organizations/{id}/client-grants", CallType::Read, 10, 100),
            Limit::new("/organizations/{id}/client-grants", CallType::Write, 5, 150),
        ],
    },
    Tier {
        // Page: tier-100-rps-private-cloud.
        name: "private-100",
        tenant: Rate { burst: 50, a_minute: 3000 },
        endpoints: &[
            Limit::new("/organizations", CallType::Read, 10, 100),
            Limit::new("/organizations/{id}", CallType::Read, 40, 500),
            Limit::new("/organizations/name/{name}", CallType::Read, 20, 200),
            Limit::new("/organizations", CallType::Write, 5, 150),
            Limit::new("/organizations/{id}/enabled_connections", CallType::Write, 5, 150),
            Limit::new("/custom-domains/{id}/verify", CallType::Write, 5, 5),
            Limit::new("/prompts/{prompt}/partials", CallType::Read, 5, 5),
            Limit::new("/prompts/{prompt}/partials", CallType::Write, 5, 5),
            Limit::new("/organizations/{id}/client-grants", CallType::Read, 10, 100),
            Limit::new("/organizations/{id}/client-grants", CallType::Write, 5, 150),
            Limit::new("/token-exchange-profiles", CallType::Write, 5, 100),
            Limit::new("/token-exchange-profiles", CallType::Read, 20, 200),
        ],
    },
    Tier {
        // Page: tier-500-rps-private-cloud.
        name: "private-500",
        tenant: Rate { burst: 250, a_minute: 15000 },
        endpoints: &[
            Limit::new("/organizations", CallType::Read, 50, 500),
            Limit::new("/organizations/{id}", CallType::Read, 50, 2500),
            Limit::new("/organizations/name/{name}", CallType::Read, 100, 1000),
            Limit::new("/organizations", CallType::Write, 25, 750),
            Limit::new("/organizations/{id}/enabled_connections", CallType::Read, 50, 500),
            Limit::new("/organizations/{id}/enabled_connections", CallType::Write, 25, 750),
            Limit::new("/custom-domains/{id}/verify", CallType::Write, 5, 5),
            Limit::new("/prompts/{prompt}/partials", CallType::Read, 5, 5),
            Limit::new("/prompts/{prompt}/partials", CallType::Write, 5, 5),
            Limit::new("/organizations/{id}/client-grants", CallType::Read, 50, 500),
            Limit::new("/organizations/{id}/client-grants", CallType::Write, 25, 750),
            Limit::new("/token-exchange-profiles", CallType::Write, 15, 300),
            Limit::new("/token-exchange-profiles", CallType::Read, 100, 1000),
        ],
    },
    Tier {
        // Page: tier-1500-rps-private-cloud.
        name: "private-1500",
        tenant: Rate { burst: 750, a_minute: 45000 },
        endpoints: &[
            Limit::new("/organizations", CallType::Read, 150, 1500),
            Limit::new("/organizations/{id}", CallType::Read, 150, 7500),
            Limit::new("/organizations/name/{name}", CallType::Read, 30, 3000),
            Limit::new("/organizations", CallType::Write, 75, 2250),
            Limit::new("/organizations/{id}/enabled_connections", CallType::Read, 150, 1500),
            Limit::new("/organizations/{id}/enabled_connections", CallType::Write, 75, 2250),
            Limit::new("/custom-domains/{id}/verify", CallType::Write, 5, 5),
            Limit::new("/prompts/{prompt}/partials", CallType::Read, 5, 5),
            Limit::new("/prompts/{prompt}/partials", CallType::Write, 5, 5),
            Limit::new("/organizations/{id}/client-grants", CallType::Read, 150, 1500),
            Limit::new("/organizations/{id}/client-grants", CallType::Write, 75, 2250),
            Limit::new("/token-exchange-profiles", CallType::Write, 15, 300),
            Limit::new("/token-exchange-profiles", CallType::Read, 300, 3000),
        ],
    },
    Tier {
        // Page: tier-3000-rps-private-cloud.
        name: "private-3000",
        tenant: Rate { burst: 1500, a_minute: 90000 },
        endpoints: &[
            Limit::new("/organizations", CallType::Read, 300, 3000),
            Limit::new("/organizations/{id}", CallType::Read, 300, 15000),
            Limit::new("/organizations/name/{name}", CallType::Read, 600, 6000),
            Limit::new("/organizations", CallType::Write, 150, 4500),
            Limit::new("/organizations/{id}/enabled_connections", CallType::Read, 300, 3000),
            Limit::new("/organizations/{id}/enabled_connections", CallType::Write, 150, 4500),
            Limit::new("/custom-domains/{id}/verify", CallType::Write, 5, 5),
            Limit::new("/prompts/{prompt}/partials", CallType::Read, 5, 5),
            Limit::new("/prompts/{prompt}/partials", CallType::Write, 5, 5),
            Limit::new("/organizations/{id}/client-grants", CallType::Read, 300, 3000),
            Limit::new("/organizations/{id}/client-grants", CallType::Write, 150, 4500),
            Limit::new("/token-exchange-profiles", CallType::Write, 15, 300),
            Limit::new("/token-exchange-profiles", CallType::Read, 600, 6000),
        ],
    },
    Tier {
        // Page: tier-6000-rps-private-cloud.
        name: "private-6000",
        tenant: Rate { burst: 3000, a_minute: 180_000 },
        endpoints: &[
            Limit::new("/organizations", CallType::Read, 600, 6000),
            Limit::new("/organizations/{id}", CallType::Read, 600, 30000),
            Limit::new("/organizations/name/{name}", CallType::Read, 1200, 12000),
            Limit::new("/organizations", CallType::Write, 300, 9000),
            Limit::new("/organizations/{id}/enabled_connections", CallType::Read, 600, 6000),
            Limit::new("/organizations/{id}/enabled_connections", CallType::Write, 300, 9000),
            Limit::new("/custom-domains/{id}/verify", CallType::Write, 5, 5),
            Limit::new("/prompts/{prompt}/partials", CallType::Read, 5, 5),
            Limit::new("/prompts/{prompt}/partials", CallType::Write, 5, 5),
            Limit::new("/organizations/{id}/client-grants", CallType::Read, 600, 6000),
            Limit::new("/organizations/{id}/client-grants", CallType::Write, 300, 9000),
            Limit::new("/token-exchange-profiles", CallType::Write, 15, 300),
            Limit::new("/token-exchange-profiles", CallType::Read, 1200, 12000),
        ],
    },
    Tier {
        // Page: tier-10000-rps-private-cloud.
        name: "private-10000",
        tenant: Rate { burst: 5000, a_minute: 300_000 },
        endpoints: &[
            Limit::new("/organizations", CallType::Read, 1000, 10000),
            Limit::new("/organizations/{id}", CallType::Read, 4000, 50000),
            Limit::new("/organizations/name/{name}", CallType::Read, 2000, 20000),
            Limit::new("/organizations", CallType::Write, 500, 15000),
            Limit::new("/organizations/{id}/enabled_connections", CallType::Read, 1200, 12000),
            Limit::new("/organizations/{id}/enabled_connections", CallType::Write, 600, 18000),
            Limit::new("/custom-domains/{id}/verify", CallType::Write, 5, 5),
            Limit::new("/token-exchange-profiles", CallType::Write, 15, 300),
            Limit::new("/token-exchange-profiles", CallType::Read, 2000, 20000),
        ],
    },
];

impl Tier {
    /// Returns the tier of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Tier> {
        TIERS.iter().find(|tier| tier.name == name)
    }

    /// Returns the index in [`Tier::endpoints`] of the group that counts a request: the one with the longest matching
    /// path.
    ///
    /// A limit on `/clients` also counts `/clients/{id}`, unless a longer path in the table does.
    #[must_use]
    pub(crate) fn group_of(&self, calls: CallType, path: &str) -> Option<usize> {
        let matching = self.endpoints.iter().enumerate().filter(|(_, limit)| limit.calls == calls && covers(limit.path, path));
        matching.max_by_key(|(_, limit)| limit.path.split('/').count()).map(|(place, _)| place)
    }
}

fn covers(pattern: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or(path);
    let mut names = path.trim_matches('/').split('/');
    pattern.trim_matches('/').split('/').all(|wanted| names.next().is_some_and(|name| wanted.starts_with('{') || wanted == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_counted_by_the_longest_matching_path() {
        let tier = Tier::named("essentials").expect("published");
        let group = |calls, path| tier.group_of(calls, path).map(|place| tier.endpoints[place].path);
        assert_eq!(group(CallType::Read, "/clients?page=0"), Some("/clients"));
        assert_eq!(group(CallType::Write, "/clients/abc"), None);
        assert_eq!(group(CallType::Read, "/organizations/org_1/enabled_connections"), Some("/organizations/{id}/enabled_connections"));
        assert_eq!(group(CallType::Read, "/organizations/org_1"), Some("/organizations/{id}"));
        assert_eq!(group(CallType::Read, "/roles"), None);
    }
}
