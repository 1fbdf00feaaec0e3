//! `cargo bench --bench scale`: the cost of an export, an import and an unchanged import, and the cost per change.
//!
//! Exports and imports run with 100, 1,000 and 10,000 clients; the cost per change is compared between imports with
//! 5,000 and 50,000 changes, and is equal if the cost is linear.
//!
//! Each size has half as many client grants. The tenants have no rate limit and run in separate processes. Times are
//! the best of several runs, since the machine may be busy, except for the two imports by number of changes, which run
//! once; memory is the maximum. Durations are not tested. An unchanged import that writes is an error, and so is an
//! export or an unchanged import above the memory limit. `-- --quick` runs the smallest sizes once, to check that
//! everything works. `-- --large` instead prints, once for each of 1,000, 10,000 and 100,000 clients, what every
//! command costs in all and per 1,000 resources, without the limit of memory.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

mod company;
mod house;

use std::io::Read;
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use house::{Cost, House};

const SIZES: [usize; 3] = [100, 1_000, 10_000];
const ROUNDS: usize = 3;
const STARTS: usize = 20;

const IMPORT: &str = "import --from dev --tenant prod --yes";

/// The numbers of changes of the two imports whose cost per change should be equal.
const GROWTH: [usize; 2] = [5_000, 50_000];
const QUICK_GROWTH: [usize; 2] = [100, 1_000];

/// The maximum memory of an export and of an unchanged import at any size, in bytes.
const MOST_MEMORY: u64 = 150 << 20;

/// The commands for each size, with the goal for the largest on two cores.
const COMMANDS: [(&str, &str, &str); 3] =
    [("export", "export --tenant dev", "3 s, 150 MiB"), ("import", IMPORT, "40 s"), ("unchanged", IMPORT, "3 s, 150 MiB")];

/// The sizes of `--large`.
const LARGE: [usize; 3] = [1_000, 10_000, 100_000];

fn main() {
    if std::env::args().any(|argument| argument == "--large") {
        return large();
    }
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let (sizes, rounds, growth) = if is_quick { (&SIZES[..1], 1, QUICK_GROWTH) } else { (&SIZES[..], ROUNDS, GROWTH) };
    let starts = (0..STARTS).map(|_| start_to_first_request());
    println!("start to first request: {:.1} ms (aim: 50 ms)", starts.min().unwrap_or_default().as_secs_f64() * 1_000.0);
    for &clients in sizes {
        println!("{clients} clients, {} grants, best of {rounds}", clients / 2);
        let best = (1..rounds).fold(round(clients), |best, _| better(best, round(clients)));
        for ((name, _, aim), cost) in COMMANDS.iter().zip(best) {
            let aim = if clients == SIZES[SIZES.len() - 1] { format!("  (aim: {aim})") } else { String::new() };
            println!("  {name:<10}{cost}{aim}");
        }
    }
    let [few, many] = growth.map(cpu_per_thousand_changes);
    println!("import of {} changes: {few:.2} s cpu for each 1,000; of {}: {many:.2} s", growth[0], growth[1]);
    println!("  ratio {:.2}  (aim: 1.3 at most, from {} to {})", many / few, GROWTH[0], GROWTH[1]);
}

/// Prints the cost of each command at each size, in all and per thousand resources.
fn large() {
    println!("| clients + grants | command | wall | CPU | peak | reads + writes | CPU per 1,000 | peak per 1,000 |");
    println!("|---:|---|---:|---:|---:|---:|---:|---:|");
    for clients in LARGE {
        let grants = clients;
        let house = House::with_grants((clients, grants), &[]);
        let thousands = f64::from(u32::try_from(clients + grants).expect("some hundred thousand")) / 1_000.0;
        for (name, line, _) in COMMANDS {
            let Cost { wall, cpu, peak, asked } = house.run(line);
            let (wall, cpu) = (wall.as_secs_f64(), cpu.as_secs_f64());
            let mebibytes = f64::from(u32::try_from(peak >> 10).expect("less than some gibibytes")) / 1_024.0;
            println!(
                "| {clients} + {grants} | {name} | {wall:.1} s | {cpu:.1} s | {mebibytes:.0} MiB | {} + {} | {:.3} s | {:.2} MiB |",
                asked.reads,
                asked.writes,
                cpu / thousands,
                mebibytes / thousands
            );
        }
        assert_eq!(house.asked_of_target().refused, 0, "a tenant without a limit refused");
    }
}

/// Imports about this many changes into an empty tenant, once; returns the CPU seconds per thousand changes.
fn cpu_per_thousand_changes(changes: usize) -> f64 {
    // There is one grant for every two clients.
    let house = House::new(changes * 2 / 3, &[]);
    let cost = house.run(IMPORT);
    let writes = u32::try_from(cost.asked.writes).expect("some ten thousand");
    cost.cpu.as_secs_f64() / f64::from(writes) * 1_000.0
}

/// Runs every command once, in new tenants.
fn round(clients: usize) -> [Cost; 3] {
    let house = House::new(clients, &[]);
    let costs = COMMANDS.map(|(_, line, _)| house.run(line));
    assert!(costs[1].asked.writes >= clients + clients / 2, "the import made {} writes", costs[1].asked.writes);
    assert_eq!(costs[2].asked.writes, 0, "an unchanged import wrote");
    for (what, cost) in [("an export", costs[0]), ("an unchanged import", costs[2])] {
        assert!(cost.peak <= MOST_MEMORY, "{what} of {clients} clients needed {} MiB", cost.peak.div_ceil(1 << 20));
    }
    assert_eq!(house.asked_of_target().refused, 0, "a tenant without a limit refused");
    costs
}

/// Returns the shorter times and the higher memory peaks of two rounds.
fn better(one: [Cost; 3], other: [Cost; 3]) -> [Cost; 3] {
    let better = |one: Cost, other: Cost| Cost {
        wall: one.wall.min(other.wall),
        cpu: one.cpu.min(other.cpu),
        peak: one.peak.max(other.peak),
        asked: one.asked,
    };
    std::array::from_fn(|place| better(one[place], other[place]))
}

/// Returns the time from the start of the process until a tenant receives the first byte of its first request.
fn start_to_first_request() -> Duration {
    let tenant = TcpListener::bind("127.0.0.1:0").expect("a port");
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("http://{}", tenant.local_addr().expect("an address"));
    house::configure(folder.path(), &url, &url);
    let (tell, told) = mpsc::channel();
    let listening = thread::spawn(move || {
        let (mut stream, _) = tenant.accept().expect("it connects");
        stream.read_exact(&mut [0]).expect("a request");
        tell.send(Instant::now()).expect("somebody waits");
    });
    let began = Instant::now();
    let mut process = house::command(folder.path(), "export --tenant dev").spawn().expect("the binary");
    let came = told.recv_timeout(Duration::from_secs(10)).expect("a request within ten seconds");
    process.kill().and_then(|()| process.wait()).expect("it ended");
    listening.join().expect("it ended");
    came - began
}
