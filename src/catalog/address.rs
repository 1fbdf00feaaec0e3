//! The paths of a kind: of its list, of one resource, and the parameters in them.

use std::iter;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::kind::Kind;
use super::shape::{KeyNames, Shape};
use crate::json::Body;

impl Kind {
    /// Returns the path of one resource, with parameters in braces: `/clients/{id}`, `/prompts/{prompt}/custom-text/{language}`.
    #[must_use]
    pub fn item(&self) -> String {
        match self.shape {
            _ if !self.paths.item.is_empty() => self.paths.item.to_owned(),
            Shape::Singleton | Shape::Child { .. } | Shape::Part { .. } => self.paths.list.to_owned(),
            Shape::Collection | Shape::Keyed { .. } | Shape::Nested { .. } => format!("{}/{{id}}", self.paths.list),
        }
    }

    /// Returns the parameters in the path of one resource, in order.
    #[must_use]
    pub(crate) fn path_parameters(&self) -> Vec<String> {
        places(&self.item()).map(str::to_owned).collect()
    }

    /// Returns the fields that are in the path of a request and not in its body.
    pub fn path_fields(&self) -> impl Iterator<Item = &str> {
        self.fields.writable().iter().filter(|field| field.in_path).map(|field| field.name)
    }

    /// Returns the id of a resource: the parameters of its path, joined by slashes. The id of a singleton is the name
    /// of the kind.
    ///
    /// A response may contain it as `id` although a write uses another name (the grants of an organization).
    #[must_use]
    pub fn id_of(&self, answered: &Body) -> Option<String> {
        let places = self.path_parameters();
        if places.is_empty() {
            return Some(self.name.to_owned());
        }
        let own = || answered.text(self.identity.id).or_else(|| answered.text("id"));
        let parts: Option<Vec<&str>> = places.iter().map(|place| if place == "id" { own() } else { answered.text(place) }).collect();
        Some(parts?.join("/"))
    }

    /// Sets the path fields of a tenant's response from an id, unless the response contains them.
    pub fn fill_path_fields(&self, answered: &mut Body, id: &str) {
        let places = self.path_parameters();
        for (place, part) in places.iter().zip(id.splitn(places.len().max(1), '/')).filter(|(place, _)| *place != "id") {
            if answered.0.get(place).is_none_or(Value::is_null) {
                answered.0.insert(place.to_owned(), Value::String(part.to_owned()));
            }
        }
    }

    /// Returns the path of one resource, or of a child's list under its parent.
    ///
    /// Parameters are percent-encoded, because some ids contain `|` or `/`.
    #[must_use]
    pub fn path_of(&self, id: &str) -> String {
        let item = self.item();
        let count = places(&item).count().max(1);
        filled(&item, id.splitn(count, '/'))
    }

    /// Returns the path at which a resource is read.
    #[must_use]
    pub fn read_path_of(&self, id: &str) -> String {
        if self.shape == Shape::Singleton { self.paths.list.to_owned() } else { self.path_of(id) }
    }

    /// Returns the path of the list, or of the object, under one parent.
    #[must_use]
    pub fn path_under(&self, parent: &str) -> String {
        filled(self.paths.list, iter::once(parent))
    }

    /// Returns the field that names the parent of a nested resource or a part.
    #[must_use]
    pub(crate) fn parent_field(&self) -> Option<&'static str> {
        match self.shape {
            Shape::Nested { .. } | Shape::Part { .. } => places(self.paths.list).next(),
            Shape::Collection | Shape::Singleton | Shape::Keyed { .. } | Shape::Child { .. } => None,
        }
    }

    /// Returns the path at which a POST creates a resource, unless a resource comes into being by being written.
    #[must_use]
    pub fn creation(&self) -> Option<&'static str> {
        match self.shape {
            _ if !self.paths.create.is_empty() => Some(self.paths.create),
            Shape::Collection | Shape::Nested { .. } => Some(self.paths.list),
            Shape::Singleton | Shape::Keyed { .. } | Shape::Child { .. } | Shape::Part { .. } => None,
        }
    }

    /// Returns the path at which a POST creates this resource.
    #[must_use]
    pub(crate) fn creation_path(&self, body: &Body) -> Option<String> {
        let path = self.creation()?;
        Some(filled(path, places(path).map(|place| body.text(place).unwrap_or_default())))
    }

    /// Returns the parameters of a path if it is that of a resource or of the list.
    #[must_use]
    pub fn match_path(&self, path: &str) -> Option<Vec<(String, String)>> {
        let older = || self.paths.aliases.iter().find_map(|form| matched(form, path));
        let creation = || matched(self.creation()?, path);
        let is_listed = !matches!(self.shape, Shape::Keyed { names: KeyNames::Fixed(_) | KeyNames::PerElement { .. } });
        matched(&self.item(), path).or_else(|| matched(self.paths.list, path).filter(|_| is_listed)).or_else(creation).or_else(older)
    }
}

/// Returns the parameters in a path template.
pub fn places(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}

/// Returns the parameters of a path if it matches a template; neither may have a query.
#[must_use]
pub fn matched(form: &str, path: &str) -> Option<Vec<(String, String)>> {
    let (form, path) = (form.trim_matches('/').split('/'), path.trim_matches('/').split('/'));
    if form.clone().count() != path.clone().count() {
        return None;
    }
    let mut found = Vec::new();
    for (wanted, given) in form.zip(path) {
        match wanted.strip_prefix('{').and_then(|place| place.strip_suffix('}')) {
            Some(place) => {
                let value = percent_encoding::percent_decode_str(given).decode_utf8_lossy().into_owned();
                found.push((place.to_owned(), value));
            }
            None if wanted != given => return None,
            None => {}
        }
    }
    Some(found)
}

fn filled<'value>(form: &str, mut values: impl Iterator<Item = &'value str>) -> String {
    let mut path = String::new();
    for (at, part) in form.split('{').enumerate() {
        match part.split_once('}') {
            Some((_, rest)) if at > 0 => path = path + &encoded(values.next().unwrap_or_default()) + rest,
            _ => path.push_str(part),
        }
    }
    path
}

fn encoded(value: &str) -> String {
    utf8_percent_encode(value, NON_ALPHANUMERIC).to_string().replace("%5F", "_").replace("%2D", "-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, KeyNames, Paging};
    use serde_json::json;

    static TEXTS: Kind =
        Kind::keyed("texts", "text", "/prompts", &["prompt", "language"], KeyNames::Listed).item_path("/prompts/{prompt}/text/{language}");
    static DOMAINS: Kind = Kind::nested("domains", "domain", "/organizations/{organization}/domains", "organizations")
        .keyed_by(&["organization", "domain"])
        .paged(Paging::Whole);

    fn body(value: Value) -> Body {
        Body::from_value(value).expect("an object")
    }

    #[test]
    fn an_id_consists_of_the_parameters_of_a_path() {
        let answered = body(json!({"organization": "org_1", "id": "dom|2", "domain": "a.com"}));
        let id = DOMAINS.id_of(&answered).expect("an id");
        assert_eq!((id.as_str(), DOMAINS.path_of(&id)), ("org_1/dom|2", "/organizations/org_1/domains/dom%7C2".to_owned()));
        assert_eq!(TEXTS.path_of("login/en"), "/prompts/login/text/en");
        let grants = Catalog::standard().kind("organization-client-grants").expect("a kind");
        assert_eq!(grants.id_of(&body(json!({"organization": "org_1", "id": "cgr_1"}))).as_deref(), Some("org_1/cgr_1"));
        assert_eq!(DOMAINS.creation_path(&answered).as_deref(), Some("/organizations/org_1/domains"));
    }

    #[test]
    fn a_response_without_its_path_fields_gets_them() {
        let mut answered = body(json!({"login": {"title": "Hi"}}));
        TEXTS.fill_path_fields(&mut answered, "login/en");
        assert_eq!(answered.into_value(), json!({"login": {"title": "Hi"}, "prompt": "login", "language": "en"}));
    }

    #[test]
    fn an_alias_matches_the_same_kind() {
        static TEMPLATES: Kind = Kind::singleton("templates", "templates", "/factors/phone/templates").aliases(&["/factors/sms/templates"]);
        assert_eq!(TEMPLATES.match_path("/factors/sms/templates"), Some(Vec::new()));
        assert_eq!(TEMPLATES.path_of("templates"), "/factors/phone/templates");
    }

    #[test]
    fn a_path_contains_its_parameters() {
        let found = TEXTS.match_path("/prompts/login/text/en").expect("covered");
        assert_eq!(found, [("prompt".to_owned(), "login".to_owned()), ("language".to_owned(), "en".to_owned())]);
        assert_eq!(TEXTS.match_path("/prompts/login/texts/en"), None);
    }
}
