//! Serves HTTP for one tenant: counts requests, injects faults, applies rate limits and checks tokens.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, AsHeaderName, CONTENT_TYPE, DATE, HOST, HeaderMap, LINK, LOCATION, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, Response};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::api::front_door::DoorResponse;
use super::api::logs;
use super::api::token::{IssuedToken, IssuedTokens, TokenEndpoint, expired};
use super::behaviour::fault::{FaultKind, FaultTiming};
use super::behaviour::logged_write::{LoggedHeaders, event_of};
use super::http::rate_limit::{BucketStatus, Clock, TenantBuckets};
use super::http::request::{ApiRequest, KeyAccess, parse_form};
use super::http::request_log::LogEntry;
use super::http::request_stats::{RequestStats, SeenRequest};
use super::http::response::ApiResponse;
use super::options::Options;
use super::store::state::State;
use super::store::tenant_log::TenantLog;

const API: &str = "/api/v2";
/// The path that returns request statistics; not a path of Auth0.
const STATS_PATH: &str = "/seen";

/// The HTTP response that is sent.
type HttpResponse = Response<Full<Bytes>>;

/// The mutable state of the server; never locked across an await.
pub(super) struct ServerState {
    pub(super) state: State,
    pub(super) tokens: IssuedTokens,
    pub(super) seen: Vec<SeenRequest>,
    pub(super) log: TenantLog,
    in_flight: usize,
    buckets: TenantBuckets,
    writes: u64,
    /// The number of requests to the front door.
    logins: u64,
    /// How often each fault has taken effect, in the order of the options.
    fault_counts: Vec<usize>,
}

/// The server of one tenant.
pub(super) struct TenantServer {
    options: Options,
    clock: Clock,
    state: Mutex<ServerState>,
    received: watch::Sender<usize>,
}

/// The connection is cut instead of sending a response.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut")]
pub(super) struct ConnectionCut;

/// The result of a request: the response, the path of its next page, and the bucket status.
struct AppliedRequest {
    response: ApiResponse,
    next: Option<String>,
    bucket: Option<BucketStatus>,
}

/// A counted request; it is in flight until this is dropped, also when the caller disconnects.
struct RequestInFlight<'tenant> {
    tenant: &'tenant TenantServer,
    index: usize,
    /// The body; text if it is not JSON.
    body: Value,
    /// The index of the fault that applies, and its kind.
    fault: Option<(usize, FaultKind)>,
}

impl RequestInFlight<'_> {
    fn fault_kind(&self) -> Option<FaultKind> {
        self.fault.map(|(_, kind)| kind)
    }

    /// Counts that the fault took effect.
    fn count_fault(&self) {
        if let Some((fault, _)) = self.fault {
            self.tenant.lock().fault_counts[fault] += 1;
        }
    }
}

impl Drop for RequestInFlight<'_> {
    fn drop(&mut self) {
        let mut state = self.tenant.lock();
        state.in_flight -= 1;
        let logged = self.tenant.options.request_log.as_ref().zip(state.seen.get(self.index).cloned());
        drop(state);
        if let Some((log, seen)) = logged {
            log.append(&LogEntry { method: &seen.method, target: &seen.path, body: &self.body, status: seen.status });
        }
    }
}

impl TenantServer {
    pub(super) fn new(options: Options) -> Self {
        let state = ServerState {
            state: options.state.clone(),
            tokens: IssuedTokens::new(options.token_lifetime),
            seen: Vec::new(),
            log: TenantLog::new(options.log_limits),
            in_flight: 0,
            buckets: TenantBuckets::new(options.rate_limit, options.tier, Instant::now()),
            writes: 0,
            logins: 0,
            fault_counts: vec![0; options.faults.len()],
        };
        Self { clock: Clock::start(options.clock_ahead), options, state: Mutex::new(state), received: watch::Sender::new(0) }
    }

    /// Locks the state; a test that panicked while holding the lock does not affect others.
    pub(super) fn lock(&self) -> MutexGuard<'_, ServerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until that many requests have arrived.
    pub(super) async fn wait_for_requests(&self, times: usize) {
        // The sender belongs to this server and lives as long.
        let _ = self.received.subscribe().wait_for(|received| *received >= times).await;
    }

    /// Returns statistics of the requests so far.
    pub(super) fn stats(&self) -> RequestStats {
        let mut stats = RequestStats::default();
        for seen in &self.lock().seen {
            *(if seen.is_write { &mut stats.writes } else { &mut stats.reads }) += 1;
            stats.refused += usize::from(seen.status == 429);
            stats.max_in_flight = stats.max_in_flight.max(seen.in_flight);
        }
        stats
    }

    /// Returns each fault and how often it has taken effect.
    pub(super) fn fault_counts(&self) -> Vec<(String, usize)> {
        let locked = self.lock();
        self.options.faults.iter().zip(&locked.fault_counts).map(|(fault, fault_counts)| (fault.to_string(), *fault_counts)).collect()
    }

    /// Answers one request, dated by the tenant's clock, or cuts the connection.
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
            let sent = read_body(&parts.headers, &body).unwrap_or_default();
            let locked = &mut *self.lock();
            let front = TokenEndpoint { registered: &self.options.registered, now: self.clock.now() };
            return Ok(to_http(&locked.tokens.token_response(&locked.state, front, &sent)));
        }
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        if let Some(response) = self.respond_at_front_door(host, target) {
            return response;
        }
        if target == STATS_PATH {
            return Ok(to_http(&stats_response(self.stats(), &self.fault_counts())));
        }
        let Some(target) = target.strip_prefix(API) else { return Ok(to_http(&ApiResponse::not_found())) };
        let sent = read_body(&parts.headers, &body);
        let call = ApiRequest::new(parts.method, target, sent.clone().unwrap_or_default());
        let mut in_flight = self.register(&call, target, &parts.headers);
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
        if let Some(FaultKind::Slow(late)) = in_flight.fault_kind() {
            in_flight.count_fault();
            tokio::time::sleep(late).await;
        }
        if let (Ok(response), Some(seen)) = (&response, self.lock().seen.get_mut(in_flight.index)) {
            seen.status = response.status().as_u16();
        }
        response
    }

    /// Answers a request to the front door, which is not one to the Management API; `None` if the path is not one of it.
    fn respond_at_front_door(&self, host: &str, target: &str) -> Option<Result<HttpResponse, ConnectionCut>> {
        let locked = &mut *self.lock();
        let response = locked.state.respond_at_front_door(host, target)?;
        locked.logins += 1;
        let due = self.options.faults.iter().enumerate().find_map(|(at, fault)| Some((at, fault.kind_at_login(locked.logins)?)));
        if let Some((at, kind)) = due {
            locked.fault_counts[at] += 1;
            return Some(match kind {
                FaultKind::Cut(_) => Err(ConnectionCut),
                FaultKind::Error(status, _) => Ok(to_http(&server_error(status))),
                _ => Ok(to_http(&ApiResponse::too_many())),
            });
        }
        Some(Ok(door_to_http(response)))
    }

    fn register(&self, call: &ApiRequest, target: &str, headers: &HeaderMap) -> RequestInFlight<'_> {
        let mut locked = self.lock();
        let correlation = headers.get("x-correlation-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        let is_write = call.is_write();
        let index = locked.seen.len();
        locked.in_flight += 1;
        let in_flight = locked.in_flight;
        locked.seen.push(SeenRequest {
            method: call.method.to_string(),
            path: target.to_owned(),
            status: 0,
            correlation,
            is_write,
            in_flight,
        });
        locked.writes += u64::from(is_write);
        self.received.send_replace(index + 1);
        let (request, write) = (index as u64 + 1, is_write.then_some(locked.writes));
        let mut faults = self.options.faults.iter().enumerate();
        let fault = faults.find_map(|(at, fault)| Some((at, fault.kind_at(request, write)?)));
        RequestInFlight { tenant: self, index, body: Value::Null, fault }
    }

    fn respond(&self, call: &ApiRequest, in_flight: &RequestInFlight<'_>, headers: &HeaderMap) -> Result<HttpResponse, ConnectionCut> {
        let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        if let Some(response) = in_flight.fault_kind().and_then(|kind| self.fault_before(kind, call, authorization)) {
            in_flight.count_fault();
            return response;
        }
        let AppliedRequest { response, next, bucket } = match self.apply(call, headers) {
            Ok(applied) => applied,
            Err(refused) => return Ok(*refused),
        };
        if let Some(response) = in_flight.fault_kind().and_then(|kind| self.fault_after(kind, &response, bucket)) {
            in_flight.count_fault();
            return response;
        }
        Ok(self.with_limits(self.with_link(to_http(&response), next.as_deref()), bucket))
    }

    /// Returns the response of a fault that takes effect before the request is applied.
    fn fault_before(&self, kind: FaultKind, call: &ApiRequest, authorization: Option<&str>) -> Option<Result<HttpResponse, ConnectionCut>> {
        Some(match kind {
            FaultKind::Cut(FaultTiming::Before) => Err(ConnectionCut),
            FaultKind::Error(status, FaultTiming::Before) => Ok(to_http(&server_error(status))),
            FaultKind::TooMany => Ok(self.too_many(None)),
            FaultKind::Echo => Ok(to_http(&ApiResponse::echo(authorization.unwrap_or_default(), &call.body))),
            FaultKind::Expired => {
                self.lock().tokens.end(authorization);
                Ok(to_http(&expired()))
            }
            _ => return None,
        })
    }

    /// Returns the response of a fault that takes effect after the request was applied; an empty list cannot be shortened.
    fn fault_after(
        &self,
        kind: FaultKind,
        response: &ApiResponse,
        bucket: Option<BucketStatus>,
    ) -> Option<Result<HttpResponse, ConnectionCut>> {
        match kind {
            FaultKind::Cut(FaultTiming::After) => Some(Err(ConnectionCut)),
            FaultKind::Error(status, FaultTiming::After) => Some(Ok(to_http(&server_error(status)))),
            FaultKind::Short => Some(Ok(self.with_limits(to_http(&response.clone().short()?), bucket))),
            _ => None,
        }
    }

    /// Applies a request and logs it; returns the response and the bucket status, or the refusal of a bad token or a rate limit.
    fn apply(&self, call: &ApiRequest, headers: &HeaderMap) -> Result<AppliedRequest, Box<HttpResponse>> {
        let locked = &mut *self.lock();
        let issued = locked.tokens.find(text_of(headers, &AUTHORIZATION)).map_err(|refused| Box::new(to_http(&refused)))?;
        let bucket =
            locked.buckets.take(call.is_write(), &call.path, Instant::now()).map_err(|bucket| Box::new(self.too_many(Some(bucket))))?;
        let key_access = if issued.scopes.allow_any(&["read:client_keys"]) { KeyAccess::Visible } else { KeyAccess::Hidden };
        if let Some(refused) = check_scopes(&locked.state, call, &issued) {
            self.log(locked, (&issued, headers), call, &refused);
            return Ok(AppliedRequest { response: refused, next: None, bucket });
        }
        let of_log = logs::respond(&locked.log, call, self.clock.now()).filter(|_| !locked.state.absent.contains_key("/logs"));
        if let Some(logs::LogResponse { response, next }) = of_log {
            return Ok(AppliedRequest { response, next, bucket });
        }
        let response = locked.state.respond(&ApiRequest { key_access, ..call.clone() });
        self.log(locked, (&issued, headers), call, &response);
        Ok(AppliedRequest { response, next: None, bucket })
    }

    /// Logs a write, or its refusal.
    fn log(&self, locked: &mut ServerState, (issued, headers): (&IssuedToken, &HeaderMap), call: &ApiRequest, response: &ApiResponse) {
        let logged = LoggedHeaders {
            correlation: text_of(headers, "x-correlation-id").map(str::to_owned),
            user_agent: text_of(headers, &USER_AGENT).unwrap_or_default().to_owned(),
        };
        if let Some(event) = event_of(&locked.state, (&issued.caller, &logged), call, response) {
            locked.log.append(self.clock.now(), event);
        }
    }

    /// Adds the header that leads to the next page.
    fn with_link(&self, mut response: HttpResponse, next: Option<&str>) -> HttpResponse {
        let link = next.map(|next| format!("<https://{}{API}{next}>; rel=\"next\"", self.lock().state.domain));
        if let Some(link) = link.and_then(|link| link.parse().ok()) {
            response.headers_mut().insert(LINK, link);
        }
        response
    }

    /// Refuses a request with 429; without a bucket, `Retry-After` is a second and there are no limit headers.
    fn too_many(&self, bucket: Option<BucketStatus>) -> HttpResponse {
        let mut response = to_http(&ApiResponse::too_many());
        let headers = response.headers_mut();
        let wait = bucket.map_or(1.0, |bucket| bucket.next_in.as_secs_f64().ceil().max(1.0));
        headers.insert(RETRY_AFTER, wait.to_string().parse().unwrap_or_else(|_| 1.into()));
        if let Some(bucket) = bucket {
            self.insert_limit_headers(headers, bucket);
        }
        response
    }

    /// Adds the rate limit headers; in recordings every success has them and no refusal does.
    fn with_limits(&self, mut response: HttpResponse, bucket: Option<BucketStatus>) -> HttpResponse {
        if let (true, Some(bucket)) = (response.status().is_success(), bucket) {
            self.insert_limit_headers(response.headers_mut(), bucket);
        }
        response
    }

    fn insert_limit_headers(&self, headers: &mut HeaderMap, bucket: BucketStatus) {
        headers.insert("x-ratelimit-limit", bucket.limit.into());
        headers.insert("x-ratelimit-remaining", bucket.remaining.into());
        headers.insert("x-ratelimit-reset", self.clock.second_in(bucket.full_in).into());
    }
}

/// Returns a header, if it is text.
fn text_of(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Returns the refusal of a request that the scopes do not allow.
fn check_scopes(state: &State, call: &ApiRequest, issued: &IssuedToken) -> Option<ApiResponse> {
    if call.path == "/logs" || call.path.starts_with("/logs/") {
        return (!issued.scopes.allow_any(logs::SCOPES)).then(|| ApiResponse::insufficient_scope(logs::SCOPES));
    }
    let (kind, _) = state.kind_at(&call.path)?;
    let required = match call.method.as_str() {
        "GET" => kind.scopes.read,
        "POST" => kind.scopes.create,
        "DELETE" => kind.scopes.delete,
        _ => kind.scopes.update,
    };
    (!issued.scopes.allow_any(required)).then(|| ApiResponse::insufficient_scope(required))
}

/// Returns the response of `GET /seen`.
fn stats_response(stats: RequestStats, fault_counts: &[(String, usize)]) -> ApiResponse {
    let RequestStats { reads, writes, refused, max_in_flight } = stats;
    let faults: Vec<Value> = fault_counts.iter().map(|(fault, count)| json!({"fault": fault, "injected": count})).collect();
    ApiResponse::new(200, json!({"reads": reads, "writes": writes, "refused": refused, "max_in_flight": max_in_flight, "faults": faults}))
}

fn server_error(status: u16) -> ApiResponse {
    ApiResponse::refusal(status, "An internal server error occurred", None)
}

/// Parses the body as JSON: null if it is empty, `None` if it is malformed.
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

/// Returns a response of the front door; the text of a page is escaped, since it repeats parameters.
fn door_to_http(response: DoorResponse) -> HttpResponse {
    let (status, headers, body) = match response {
        DoorResponse::Redirect(location) => (302, vec![(LOCATION, location)], String::new()),
        DoorResponse::Page(status, text) => {
            let text = text.replace('&', "&amp;").replace('<', "&lt;");
            (status, vec![(CONTENT_TYPE, "text/html; charset=utf-8".to_owned())], format!("<!doctype html><p>{text}</p>"))
        }
        DoorResponse::Document(document) => return to_http(&ApiResponse::new(200, document)),
    };
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        if let Ok(value) = value.parse() {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
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
