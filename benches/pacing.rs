//! `cargo bench --bench pacing`: an import of 300 changes into tenants with a low rate limit, in real time, about four minutes in all.
//!
//! Each time is printed beside the minimum for as many requests: with the whole bucket, and with the 80 % that migrate
//! uses. A refused request (429) is an error; a long duration is not.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

mod company;
mod house;

use std::process::ExitCode;

use house::{House, RequestStats};

/// The rate limits of the tenants: burst, and requests per second.
const BUCKETS: [(u32, u32); 2] = [(50, 16), (10, 2)];

/// The share of a bucket that migrate uses by default.
const SHARE: f64 = 0.8;

/// The number of clients with which the company has some 300 resources to create.
const CLIENTS: usize = 177;

fn main() -> ExitCode {
    let refused: usize = BUCKETS.into_iter().map(|(burst, rate)| import(burst, rate)).sum();
    if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Imports into an empty tenant with this bucket and an unconfigured rate limit; returns the number of refused
/// requests.
fn import(burst: u32, rate: u32) -> usize {
    let house = House::new(CLIENTS, &["--burst", &burst.to_string(), "--rate", &rate.to_string()]);
    let cost = house.run("import --from dev --tenant prod --yes");
    let RequestStats { reads, writes, refused } = house.asked_of_target();
    let requests = f64::from(u32::try_from(reads + writes).expect("some hundred"));
    let least = |share: f64| (requests - (f64::from(burst) * share).floor()) / (f64::from(rate) * share);
    println!("a bucket of {burst} and {rate} a second: {reads} reads and {writes} writes, {refused} refused as too many");
    println!("  {:.1} s; the whole bucket allows {:.1} s, {SHARE} of it {:.1} s", cost.wall.as_secs_f64(), least(1.0), least(SHARE));
    refused
}
