//! Leads each request through the checks to what carries it out.

use hyper::Method;
use serde_json::Value;

use super::schema::description;
use crate::catalog::{Delta, Kind, Shape};
use crate::sandbox::behaviour::registry::behaviour_of;
use crate::sandbox::http::request::Call;
use crate::sandbox::http::response::Answer;
use crate::sandbox::http::route::Target;
use crate::sandbox::store::api_form::bare;
use crate::sandbox::store::state::State;

impl State {
    /// Answers one request without a socket: a token of every scope, no limits, no faults.
    pub fn ask(&mut self, method: &str, target: &str, body: Value) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::GET);
        self.respond(&Call::new(method, target, body), true)
    }

    /// Answers a request.
    pub(crate) fn respond(&mut self, call: &Call, sees_keys: bool) -> Answer {
        if let (Err(refused), false) = (self.judged(call), self.is_lenient) {
            return refused;
        }
        if let Err(refused) = self.check_rules(call).and_then(|()| self.check_seen(call)) {
            return refused;
        }
        let remade = self.remade(call);
        let call = remade.as_ref().unwrap_or(call);
        let answered = match self.kind_at(&call.path) {
            Some((_, Target::FollowUp(_))) if !call.is_write() => self.respond_to_other(call),
            None => self.respond_to_other(call),
            Some((kind, target)) => self.respond_for(kind, target, call, sees_keys),
        };
        if let Ok(answer) = &answered {
            self.note_new_client(call, answer);
            if !self.is_lenient {
                self.follow_live(call);
            }
            for follow_up in self.follow_ups(call) {
                self.respond(&follow_up, true);
            }
        }
        answered.unwrap_or_else(|refused| refused)
    }

    /// Refuses what the API's description does not allow, and what the live API is reported to refuse besides.
    ///
    /// # Errors
    ///
    /// The answer that says why.
    fn judged(&self, call: &Call) -> Result<(), Answer> {
        description::operation_of(call).map_or(Ok(()), |judged| judged.check(call))?;
        self.check_live(call)
    }

    fn respond_to_other(&self, call: &Call) -> Result<Answer, Answer> {
        match (&call.method, self.others.get(&call.path)) {
            (&Method::GET, Some(value)) => Ok(Answer::new(200, value.clone())),
            _ => Err(self.absent.get(&call.path).cloned().unwrap_or_else(Answer::not_found)),
        }
    }

    fn respond_for(&mut self, kind: &'static Kind, target: Target, call: &Call, sees_keys: bool) -> Result<Answer, Answer> {
        // What is absent stays so, but for what a write can make.
        let is_made = call.is_write()
            && (kind.is_optional || kind.creation().is_some() || matches!(kind.shape, Shape::Keyed { .. } | Shape::Part { .. }));
        if let Some(absent) = self.absent.get(&call.path).filter(|_| !is_made) {
            return Err(absent.clone());
        }
        if let (Shape::Child { parent, delta }, Target::One(id)) = (kind.shape, &target) {
            return self.respond_for_child(kind, parent, delta, id, call);
        }
        if let (Shape::Child { delta: Delta::Named { by, .. }, .. }, Target::Element(id, name), "PATCH") =
            (kind.shape, &target, call.method.as_str())
        {
            return self.change_named(kind, by, (id, name), call);
        }
        match (self.by_id(kind, target), call.method.as_str()) {
            (Target::Whole, method) if kind.shape == Shape::Singleton => self.respond_for_singleton(kind, method, call, sees_keys),
            (Target::Whole, "GET") => self.list(kind, None, call, sees_keys),
            (Target::Under(parent), "GET") => {
                self.check_parent(kind, &parent)?;
                self.list(kind, Some(&parent), call, sees_keys)
            }
            (Target::Whole, "POST") => self.create(kind, None, call),
            (Target::Under(parent), "POST") => {
                self.check_parent(kind, &parent)?;
                self.create(kind, Some(&parent), call)
            }
            (Target::One(id), "GET") => self.read(kind, &id, call, sees_keys),
            (Target::One(id), "POST") if matches!(kind.shape, Shape::Part { .. }) && kind.creation().is_some() => {
                self.check_parent(kind, &id)?;
                self.create(kind, Some(&id), call)
            }
            (Target::One(id), "PATCH" | "PUT") => self.update(kind, &id, call, sees_keys),
            (Target::One(id), "DELETE") => self.remove(kind, &id),
            (Target::FollowUp(id), "POST") => {
                let mut body = self.stored(kind, &id)?.clone();
                (behaviour_of(kind.name).followed)(&mut body, &mut self.scene(kind));
                self.put(kind, &id, body.clone());
                Ok(Answer::new(200, bare(kind, &body)))
            }
            _ => Err(Answer::not_found()),
        }
    }

    fn respond_for_singleton(&mut self, kind: &'static Kind, method: &str, call: &Call, sees_keys: bool) -> Result<Answer, Answer> {
        let is_there = self.tables.get(kind.name).is_some_and(|table| table.has(""));
        match method {
            "GET" if !is_there && kind.is_optional => Err(Answer::inexistent(kind)),
            "GET" | "PATCH" | "PUT" if !is_there && kind.creation().is_some() => Err(Answer::inexistent(kind)),
            "GET" => {
                let body = self.tables.get(kind.name).and_then(|table| table.get("")).cloned().unwrap_or_default();
                Ok(Answer::new(200, self.shown(kind, &body, call, sees_keys)))
            }
            "POST" if is_there => Err(Answer::conflict(kind, kind.singular)),
            "POST" if kind.creation().is_some() => self.create(kind, None, call),
            "PATCH" | "PUT" => self.update(kind, "", call, sees_keys),
            "DELETE" if is_there => self.remove(kind, ""),
            _ => Err(Answer::not_found()),
        }
    }

    /// Returns the id of what a path names by key, where the server takes that.
    fn by_id(&self, kind: &Kind, target: Target) -> Target {
        let table = self.tables.get(kind.name).filter(|_| behaviour_of(kind.name).found_by_key);
        match (table, &target) {
            (Some(table), Target::One(key)) if !table.has(key) => table.named(key).map(str::to_owned).map_or(target, Target::One),
            _ => target,
        }
    }
}
