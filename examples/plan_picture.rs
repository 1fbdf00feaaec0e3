//! Draws what a command prints in a terminal. The picture in the README is of the example company, whose tenants
//! `migrate sandbox --state` serves from `src/sandbox/store/seed`, with the mapping in `mappings`:
//!
//! ```sh
//! COLUMNS=100 migrate plan --tenant prod --only clients/Billing --only roles --only 'connections/g*' --color always --no-pager --quiet \
//!   | head -44 | cargo run --example plan_picture > docs/plan.svg
//! ```

#![expect(clippy::print_stdout, reason = "the picture is what the example is for")]

use std::io::Read;

fn main() -> std::io::Result<()> {
    let mut printed = String::new();
    std::io::stdin().read_to_string(&mut printed)?;
    println!("{}", anstyle_svg::Term::new().render_svg(&printed));
    Ok(())
}
