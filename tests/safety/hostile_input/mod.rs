//! Hostile responses and files: each ends a run within a limit and with a clear error, and none reaches a terminal unescaped.

mod altered_answers;
mod edge_cases;
mod endless_answers;
mod files;
mod server;
mod slow_tenant;
mod terminal_escapes;
