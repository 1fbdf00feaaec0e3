//! The tenant's front: numbers requests, places faults, keeps the rate limits, looks at tokens, and speaks HTTP.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use hyper::{Method, Request, Response};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::api::token::{Scopes, Tokens, expired};
use super::behaviour::fault::{Moment, Trouble};
use super::http::rate_limit::{Buckets, Clock, Standing};
use super::http::request::{Call, read_form};
use super::http::request_log::Line;
use super::http::request_stats::{Demand, Seen};
use super::http::response::Answer;
use super::options::Options;
use super::store::state::State;

const API: &str = "/api/v2";
/// Where the sandbox tells what it was asked; no path of Auth0's.
const DEMAND: &str = "/seen";

/// What is sent back.
type Reply = Response<Full<Bytes>>;

/// What the tenant knows; never locked across a wait.
pub(super) struct Inside {
    pub(super) state: State,
    pub(super) tokens: Tokens,
    pub(super) seen: Vec<Seen>,
    under_way: usize,
    buckets: Buckets,
    writes: u64,
    /// How often each fault struck, in the order of the options.
    struck: Vec<usize>,
}

/// A tenant that answers.
pub(super) struct Tenant {
    options: Options,
    clock: Clock,
    inside: Mutex<Inside>,
    asked: watch::Sender<usize>,
}

/// The connection is cut in place of an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut")]
pub(super) struct Cut;

/// A request that was numbered; it is being answered until this is dropped, as it is when the caller goes away.
struct Turn<'tenant> {
    tenant: &'tenant Tenant,
    index: usize,
    /// What was sent; text where it is not JSON.
    body: Value,
    /// What is to go wrong with it, and the place of the fault that says so.
    trouble: Option<(usize, Trouble)>,
}

impl Turn<'_> {
    fn trouble(&self) -> Option<Trouble> {
        self.trouble.map(|(_, trouble)| trouble)
    }

    /// Notes that the trouble made a difference.
    fn struck(&self) {
        if let Some((fault, _)) = self.trouble {
            self.tenant.inside().struck[fault] += 1;
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut inside = self.tenant.inside();
        inside.under_way -= 1;
        let asked = self.tenant.options.record.as_ref().zip(inside.seen.get(self.index).cloned());
        drop(inside);
        if let Some((record, seen)) = asked {
            record.append(&Line { method: &seen.method, target: &seen.path, body: &self.body, status: seen.status });
        }
    }
}

impl Tenant {
    pub(super) fn new(options: Options) -> Self {
        let inside = Inside {
            state: options.state.clone(),
            tokens: Tokens::new(options.token_lifetime),
            seen: Vec::new(),
            under_way: 0,
            buckets: Buckets::new(options.allowance, options.tier, Instant::now()),
            writes: 0,
            struck: vec![0; options.faults.len()],
        };
        Self { options, clock: Clock::start(), inside: Mutex::new(inside), asked: watch::Sender::new(0) }
    }

    /// Returns what the tenant knows; a test that panicked while it looked does not stop the others.
    pub(super) fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it was asked that often.
    pub(super) async fn asked(&self, times: usize) {
        // The sender is this tenant's own, and does not end before it.
        let _ = self.asked.subscribe().wait_for(|asked| *asked >= times).await;
    }

    /// Returns what was asked so far, in numbers.
    pub(super) fn demand(&self) -> Demand {
        let mut demand = Demand::default();
        for seen in &self.inside().seen {
            *(if seen.is_write { &mut demand.writes } else { &mut demand.reads }) += 1;
            demand.refused += usize::from(seen.status == 429);
            demand.at_once = demand.at_once.max(seen.at_once);
        }
        demand
    }

    /// Returns each fault, and how often it struck so far.
    pub(super) fn struck(&self) -> Vec<(String, usize)> {
        let inside = self.inside();
        self.options.faults.iter().zip(&inside.struck).map(|(fault, struck)| (fault.to_string(), *struck)).collect()
    }

    /// Answers one request by the tenant's own clock, or cuts the connection.
    pub(super) async fn serve(self: Arc<Self>, request: Request<Incoming>) -> Result<Reply, Cut> {
        let mut response = self.answer(request).await?;
        response.headers_mut().insert(DATE, self.clock.date());
        Ok(response)
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Reply, Cut> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        if target == "/oauth/token" && parts.method == Method::POST {
            let asked = read_body(&parts.headers, &body).unwrap_or_default();
            let inside = &mut *self.inside();
            return Ok(written(&inside.tokens.exchange(&inside.state, &self.options.registered, &asked)));
        }
        if target == DEMAND {
            return Ok(written(&asked(self.demand(), &self.struck())));
        }
        let Some(target) = target.strip_prefix(API) else { return Ok(written(&Answer::not_found())) };
        let sent = read_body(&parts.headers, &body);
        let call = Call::new(parts.method, target, sent.clone().unwrap_or_default());
        let mut turn = self.number(&call, target, &parts.headers);
        if self.options.record.is_some() {
            turn.body = sent.clone().unwrap_or_else(|| String::from_utf8_lossy(&body).into());
        }
        if !self.options.latency.is_zero() {
            tokio::time::sleep(self.options.latency).await;
        }
        let response = match sent {
            Some(_) => self.respond(&call, &turn, &parts.headers),
            None => Ok(written(&Answer::refusal(400, "Invalid request payload JSON format", Some("invalid_body")))),
        };
        if let Some(Trouble::Slow(late)) = turn.trouble() {
            turn.struck();
            tokio::time::sleep(late).await;
        }
        if let (Ok(response), Some(seen)) = (&response, self.inside().seen.get_mut(turn.index)) {
            seen.status = response.status().as_u16();
        }
        response
    }

    fn number(&self, call: &Call, target: &str, headers: &HeaderMap) -> Turn<'_> {
        let mut inside = self.inside();
        let correlation = headers.get("x-correlation-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        let is_write = call.is_write();
        let index = inside.seen.len();
        inside.under_way += 1;
        let at_once = inside.under_way;
        inside.seen.push(Seen { method: call.method.to_string(), path: target.to_owned(), status: 0, correlation, is_write, at_once });
        inside.writes += u64::from(is_write);
        self.asked.send_replace(index + 1);
        let (request, write) = (index as u64 + 1, is_write.then_some(inside.writes));
        let mut faults = self.options.faults.iter().enumerate();
        let trouble = faults.find_map(|(at, fault)| Some((at, fault.strikes(request, write)?)));
        Turn { tenant: self, index, body: Value::Null, trouble }
    }

    fn respond(&self, call: &Call, turn: &Turn<'_>, headers: &HeaderMap) -> Result<Reply, Cut> {
        let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        if let Some(spoilt) = turn.trouble().and_then(|trouble| self.spoilt_before(trouble, call, authorization)) {
            turn.struck();
            return spoilt;
        }
        let (answer, standing) = match self.apply(call, authorization) {
            Ok(applied) => applied,
            Err(refused) => return Ok(*refused),
        };
        if let Some(spoilt) = turn.trouble().and_then(|trouble| self.spoilt_after(trouble, &answer, standing)) {
            turn.struck();
            return spoilt;
        }
        Ok(self.with_limits(written(&answer), standing))
    }

    /// Returns what a request is answered that goes wrong before anything is applied.
    fn spoilt_before(&self, trouble: Trouble, call: &Call, authorization: Option<&str>) -> Option<Result<Reply, Cut>> {
        Some(match trouble {
            Trouble::Cut(Moment::Before) => Err(Cut),
            Trouble::Error(status, Moment::Before) => Ok(written(&broken(status))),
            Trouble::TooMany => Ok(self.too_many(None)),
            Trouble::Echo => Ok(written(&Answer::echo(authorization.unwrap_or_default(), &call.body))),
            Trouble::Expired => {
                self.inside().tokens.end(authorization);
                Ok(written(&expired()))
            }
            _ => return None,
        })
    }

    /// Returns what a request is answered that goes wrong once it is applied; a list that is empty cannot be shorter.
    fn spoilt_after(&self, trouble: Trouble, answer: &Answer, standing: Option<Standing>) -> Option<Result<Reply, Cut>> {
        match trouble {
            Trouble::Cut(Moment::After) => Some(Err(Cut)),
            Trouble::Error(status, Moment::After) => Some(Ok(written(&broken(status)))),
            Trouble::Short => Some(Ok(self.with_limits(written(&answer.clone().short()?), standing))),
            _ => None,
        }
    }

    /// Does what is asked; returns the answer and how the bucket stands, or what a request is refused with that may not do it.
    fn apply(&self, call: &Call, authorization: Option<&str>) -> Result<(Answer, Option<Standing>), Box<Reply>> {
        let inside = &mut *self.inside();
        let scopes = inside.tokens.scopes(authorization).map_err(|refused| Box::new(written(&refused)))?;
        let standing =
            inside.buckets.take(call.is_write(), &call.path, Instant::now()).map_err(|standing| Box::new(self.too_many(Some(standing))))?;
        let answer = admitted(&inside.state, call, &scopes).unwrap_or_else(|| {
            let sees_keys = scopes.allow_any(&["read:client_keys"]);
            inside.state.respond(call, sees_keys)
        });
        Ok((answer, standing))
    }

    /// Refuses a request; one that no bucket refuses is told to wait a second, and nothing of a limit that there is not.
    fn too_many(&self, standing: Option<Standing>) -> Reply {
        let mut response = written(&Answer::too_many());
        let headers = response.headers_mut();
        let wait = standing.map_or(1.0, |standing| standing.next_in.as_secs_f64().ceil().max(1.0));
        headers.insert(RETRY_AFTER, wait.to_string().parse().unwrap_or_else(|_| 1.into()));
        if let Some(standing) = standing {
            self.tell_limits(headers, standing);
        }
        response
    }

    /// Adds the headers that tell how the bucket stands; recorded ones are on every success and on no refusal.
    fn with_limits(&self, mut response: Reply, standing: Option<Standing>) -> Reply {
        if let (true, Some(standing)) = (response.status().is_success(), standing) {
            self.tell_limits(response.headers_mut(), standing);
        }
        response
    }

    fn tell_limits(&self, headers: &mut HeaderMap, standing: Standing) {
        headers.insert("x-ratelimit-limit", standing.limit.into());
        headers.insert("x-ratelimit-remaining", standing.remaining.into());
        headers.insert("x-ratelimit-reset", self.clock.second_in(standing.full_in).into());
    }
}

/// Returns the refusal of a call that the scopes do not allow.
fn admitted(state: &State, call: &Call, scopes: &Scopes) -> Option<Answer> {
    let (kind, _) = state.kind_at(&call.path)?;
    let asked = match call.method.as_str() {
        "GET" => kind.read_scopes,
        "POST" => kind.create_scopes,
        "DELETE" => kind.delete_scopes,
        _ => kind.update_scopes,
    };
    (!scopes.allow_any(asked)).then(|| Answer::insufficient_scope(asked))
}

/// Tells what was asked so far, and how often each fault struck.
fn asked(demand: Demand, struck: &[(String, usize)]) -> Answer {
    let Demand { reads, writes, refused, at_once } = demand;
    let faults: Vec<Value> = struck.iter().map(|(fault, struck)| json!({"fault": fault, "struck": struck})).collect();
    Answer::new(200, json!({"reads": reads, "writes": writes, "refused": refused, "at_once": at_once, "faults": faults}))
}

fn broken(status: u16) -> Answer {
    Answer::refusal(status, "An internal server error occurred", None)
}

/// Returns what was sent as JSON, null where nothing was, or nothing where it cannot be read.
fn read_body(headers: &HeaderMap, body: &Bytes) -> Option<Value> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if body.is_empty() {
        return Some(Value::Null);
    }
    if kind.starts_with("application/x-www-form-urlencoded") {
        let fields = read_form(&String::from_utf8_lossy(body));
        return Some(fields.into_iter().map(|(name, value)| (name, json!(value))).collect());
    }
    serde_json::from_slice(body).ok()
}

fn written(answer: &Answer) -> Reply {
    let text = if answer.body.is_null() { String::new() } else { answer.body.to_string() };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = hyper::StatusCode::from_u16(answer.status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    if !answer.body.is_null() {
        response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json; charset=utf-8"));
    }
    response
}
