//! The tenant's front: numbers requests, places faults, keeps the rate limits, looks at tokens, and speaks HTTP.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use hyper::{Method, Request, Response};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::api::token::{IssuedTokens, Scopes, expired};
use super::behaviour::fault::{FaultKind, FaultTiming};
use super::http::rate_limit::{BucketStatus, Buckets, Clock};
use super::http::request::{ApiRequest, KeyAccess, parse_form};
use super::http::request_log::LogEntry;
use super::http::request_stats::{RequestStats, SeenRequest};
use super::http::response::ApiResponse;
use super::options::Options;
use super::store::state::State;

const API: &str = "/api/v2";
/// Where the sandbox tells what it was asked; no path of Auth0's.
const STATS_PATH: &str = "/seen";

/// What is sent back.
type HttpResponse = Response<Full<Bytes>>;

/// What the tenant knows; never locked across a wait.
pub(super) struct ServerState {
    pub(super) state: State,
    pub(super) tokens: IssuedTokens,
    pub(super) seen: Vec<SeenRequest>,
    under_way: usize,
    buckets: Buckets,
    writes: u64,
    /// How often each fault struck, in the order of the options.
    struck: Vec<usize>,
}

/// A tenant that answers.
pub(super) struct TenantServer {
    options: Options,
    clock: Clock,
    locked: Mutex<ServerState>,
    asked: watch::Sender<usize>,
}

/// The connection is cut in place of an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut")]
pub(super) struct ConnectionCut;

/// A request that was numbered; it is being answered until this is dropped, as it is when the caller goes away.
struct RequestInFlight<'tenant> {
    tenant: &'tenant TenantServer,
    index: usize,
    /// What was sent; text where it is not JSON.
    body: Value,
    /// What is to go wrong with it, and the place of the fault that says so.
    kind: Option<(usize, FaultKind)>,
}

impl RequestInFlight<'_> {
    fn kind(&self) -> Option<FaultKind> {
        self.kind.map(|(_, kind)| kind)
    }

    /// Notes that the kind made a difference.
    fn count_fault(&self) {
        if let Some((fault, _)) = self.kind {
            self.tenant.locked().struck[fault] += 1;
        }
    }
}

impl Drop for RequestInFlight<'_> {
    fn drop(&mut self) {
        let mut locked = self.tenant.locked();
        locked.under_way -= 1;
        let asked = self.tenant.options.request_log.as_ref().zip(locked.seen.get(self.index).cloned());
        drop(locked);
        if let Some((record, seen)) = asked {
            record.append(&LogEntry { method: &seen.method, target: &seen.path, body: &self.body, status: seen.status });
        }
    }
}

impl TenantServer {
    pub(super) fn new(options: Options) -> Self {
        let locked = ServerState {
            state: options.state.clone(),
            tokens: IssuedTokens::new(options.token_lifetime),
            seen: Vec::new(),
            under_way: 0,
            buckets: Buckets::new(options.rate_limit, options.tier, Instant::now()),
            writes: 0,
            struck: vec![0; options.faults.len()],
        };
        Self { options, clock: Clock::start(), locked: Mutex::new(locked), asked: watch::Sender::new(0) }
    }

    /// Returns what the tenant knows; a test that panicked while it looked does not stop the others.
    pub(super) fn locked(&self) -> MutexGuard<'_, ServerState> {
        self.locked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it was asked that often.
    pub(super) async fn wait_for_requests(&self, times: usize) {
        // The sender is this tenant's own, and does not end before it.
        let _ = self.asked.subscribe().wait_for(|asked| *asked >= times).await;
    }

    /// Returns what was asked so far, in numbers.
    pub(super) fn stats(&self) -> RequestStats {
        let mut stats = RequestStats::default();
        for seen in &self.locked().seen {
            *(if seen.is_write { &mut stats.writes } else { &mut stats.reads }) += 1;
            stats.refused += usize::from(seen.status == 429);
            stats.at_once = stats.at_once.max(seen.at_once);
        }
        stats
    }

    /// Returns each fault, and how often it struck so far.
    pub(super) fn fault_counts(&self) -> Vec<(String, usize)> {
        let locked = self.locked();
        self.options.faults.iter().zip(&locked.struck).map(|(fault, struck)| (fault.to_string(), *struck)).collect()
    }

    /// Answers one request by the tenant's own clock, or cuts the connection.
    pub(super) async fn serve(self: Arc<Self>, request: Request<Incoming>) -> Result<HttpResponse, ConnectionCut> {
        let mut response = self.answer(request).await?;
        response.headers_mut().insert(DATE, self.clock.date());
        Ok(response)
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<HttpResponse, ConnectionCut> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| ConnectionCut)?.to_bytes();
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        if target == "/oauth/token" && parts.method == Method::POST {
            let asked = read_body(&parts.headers, &body).unwrap_or_default();
            let locked = &mut *self.locked();
            return Ok(to_http(&locked.tokens.exchange(&locked.state, &self.options.registered, &asked)));
        }
        if target == STATS_PATH {
            return Ok(to_http(&stats_response(self.stats(), &self.fault_counts())));
        }
        let Some(target) = target.strip_prefix(API) else { return Ok(to_http(&ApiResponse::not_found())) };
        let sent = read_body(&parts.headers, &body);
        let call = ApiRequest::new(parts.method, target, sent.clone().unwrap_or_default());
        let mut in_flight = self.number(&call, target, &parts.headers);
        if self.options.request_log.is_some() {
            in_flight.body = sent.clone().unwrap_or_else(|| String::from_utf8_lossy(&body).into());
        }
        if !self.options.latency.is_zero() {
            tokio::time::sleep(self.options.latency).await;
        }
        let response = match sent {
            Some(_) => self.respond(&call, &in_flight, &parts.headers),
            None => Ok(to_http(&ApiResponse::refusal(400, "Invalid request payload JSON format", Some("invalid_body")))),
        };
        if let Some(FaultKind::Slow(late)) = in_flight.kind() {
            in_flight.count_fault();
            tokio::time::sleep(late).await;
        }
        if let (Ok(response), Some(seen)) = (&response, self.locked().seen.get_mut(in_flight.index)) {
            seen.status = response.status().as_u16();
        }
        response
    }

    fn number(&self, call: &ApiRequest, target: &str, headers: &HeaderMap) -> RequestInFlight<'_> {
        let mut locked = self.locked();
        let correlation = headers.get("x-correlation-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        let is_write = call.is_write();
        let index = locked.seen.len();
        locked.under_way += 1;
        let at_once = locked.under_way;
        locked.seen.push(SeenRequest {
            method: call.method.to_string(),
            path: target.to_owned(),
            status: 0,
            correlation,
            is_write,
            at_once,
        });
        locked.writes += u64::from(is_write);
        self.asked.send_replace(index + 1);
        let (request, write) = (index as u64 + 1, is_write.then_some(locked.writes));
        let mut faults = self.options.faults.iter().enumerate();
        let kind = faults.find_map(|(at, fault)| Some((at, fault.strikes(request, write)?)));
        RequestInFlight { tenant: self, index, body: Value::Null, kind }
    }

    fn respond(&self, call: &ApiRequest, in_flight: &RequestInFlight<'_>, headers: &HeaderMap) -> Result<HttpResponse, ConnectionCut> {
        let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        if let Some(response) = in_flight.kind().and_then(|kind| self.fault_before(kind, call, authorization)) {
            in_flight.count_fault();
            return response;
        }
        let (answer, standing) = match self.apply(call, authorization) {
            Ok(applied) => applied,
            Err(refused) => return Ok(*refused),
        };
        if let Some(response) = in_flight.kind().and_then(|kind| self.fault_after(kind, &answer, standing)) {
            in_flight.count_fault();
            return response;
        }
        Ok(self.with_limits(to_http(&answer), standing))
    }

    /// Returns what a request is answered that goes wrong before anything is applied.
    fn fault_before(&self, kind: FaultKind, call: &ApiRequest, authorization: Option<&str>) -> Option<Result<HttpResponse, ConnectionCut>> {
        Some(match kind {
            FaultKind::Cut(FaultTiming::Before) => Err(ConnectionCut),
            FaultKind::Error(status, FaultTiming::Before) => Ok(to_http(&server_error(status))),
            FaultKind::TooMany => Ok(self.too_many(None)),
            FaultKind::Echo => Ok(to_http(&ApiResponse::echo(authorization.unwrap_or_default(), &call.body))),
            FaultKind::Expired => {
                self.locked().tokens.end(authorization);
                Ok(to_http(&expired()))
            }
            _ => return None,
        })
    }

    /// Returns what a request is answered that goes wrong once it is applied; a list that is empty cannot be shorter.
    fn fault_after(
        &self,
        kind: FaultKind,
        answer: &ApiResponse,
        standing: Option<BucketStatus>,
    ) -> Option<Result<HttpResponse, ConnectionCut>> {
        match kind {
            FaultKind::Cut(FaultTiming::After) => Some(Err(ConnectionCut)),
            FaultKind::Error(status, FaultTiming::After) => Some(Ok(to_http(&server_error(status)))),
            FaultKind::Short => Some(Ok(self.with_limits(to_http(&answer.clone().short()?), standing))),
            _ => None,
        }
    }

    /// Does what is asked; returns the answer and how the bucket stands, or what a request is refused with that may not do it.
    fn apply(&self, call: &ApiRequest, authorization: Option<&str>) -> Result<(ApiResponse, Option<BucketStatus>), Box<HttpResponse>> {
        let locked = &mut *self.locked();
        let scopes = locked.tokens.scopes(authorization).map_err(|refused| Box::new(to_http(&refused)))?;
        let standing =
            locked.buckets.take(call.is_write(), &call.path, Instant::now()).map_err(|standing| Box::new(self.too_many(Some(standing))))?;
        let key_access = if scopes.allow_any(&["read:client_keys"]) { KeyAccess::Visible } else { KeyAccess::Hidden };
        let answer =
            check_scopes(&locked.state, call, &scopes).unwrap_or_else(|| locked.state.respond(&ApiRequest { key_access, ..call.clone() }));
        Ok((answer, standing))
    }

    /// Refuses a request; one that no bucket refuses is told to wait a second, and nothing of a limit that there is not.
    fn too_many(&self, standing: Option<BucketStatus>) -> HttpResponse {
        let mut response = to_http(&ApiResponse::too_many());
        let headers = response.headers_mut();
        let wait = standing.map_or(1.0, |standing| standing.next_in.as_secs_f64().ceil().max(1.0));
        headers.insert(RETRY_AFTER, wait.to_string().parse().unwrap_or_else(|_| 1.into()));
        if let Some(standing) = standing {
            self.tell_limits(headers, standing);
        }
        response
    }

    /// Adds the headers that tell how the bucket stands; recorded ones are on every success and on no refusal.
    fn with_limits(&self, mut response: HttpResponse, standing: Option<BucketStatus>) -> HttpResponse {
        if let (true, Some(standing)) = (response.status().is_success(), standing) {
            self.tell_limits(response.headers_mut(), standing);
        }
        response
    }

    fn tell_limits(&self, headers: &mut HeaderMap, standing: BucketStatus) {
        headers.insert("x-ratelimit-limit", standing.limit.into());
        headers.insert("x-ratelimit-remaining", standing.remaining.into());
        headers.insert("x-ratelimit-reset", self.clock.second_in(standing.full_in).into());
    }
}

/// Returns the refusal of a call that the scopes do not allow.
fn check_scopes(state: &State, call: &ApiRequest, scopes: &Scopes) -> Option<ApiResponse> {
    let (kind, _) = state.kind_at(&call.path)?;
    let asked = match call.method.as_str() {
        "GET" => kind.read_scopes,
        "POST" => kind.create_scopes,
        "DELETE" => kind.delete_scopes,
        _ => kind.update_scopes,
    };
    (!scopes.allow_any(asked)).then(|| ApiResponse::insufficient_scope(asked))
}

/// Tells what was asked so far, and how often each fault struck.
fn stats_response(stats: RequestStats, struck: &[(String, usize)]) -> ApiResponse {
    let RequestStats { reads, writes, refused, at_once } = stats;
    let faults: Vec<Value> = struck.iter().map(|(fault, struck)| json!({"fault": fault, "struck": struck})).collect();
    ApiResponse::new(200, json!({"reads": reads, "writes": writes, "refused": refused, "at_once": at_once, "faults": faults}))
}

fn server_error(status: u16) -> ApiResponse {
    ApiResponse::refusal(status, "An internal server error occurred", None)
}

/// Returns what was sent as JSON, null where nothing was, or nothing where it cannot be read.
fn read_body(headers: &HeaderMap, body: &Bytes) -> Option<Value> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if body.is_empty() {
        return Some(Value::Null);
    }
    if kind.starts_with("application/x-www-form-urlencoded") {
        let fields = parse_form(&String::from_utf8_lossy(body));
        return Some(fields.into_iter().map(|(name, value)| (name, json!(value))).collect());
    }
    serde_json::from_slice(body).ok()
}

fn to_http(answer: &ApiResponse) -> HttpResponse {
    let text = if answer.body.is_null() { String::new() } else { answer.body.to_string() };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = hyper::StatusCode::from_u16(answer.status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    if !answer.body.is_null() {
        response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json; charset=utf-8"));
    }
    response
}
