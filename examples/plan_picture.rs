//! Draws what a command prints in a terminal, for the README:
//!
//! ```sh
//! CLICOLOR_FORCE=1 COLUMNS=100 migrate plan --tenant prod --no-pager | head -36 | cargo run --example plan_picture > docs/plan.svg
//! ```

#![expect(clippy::print_stdout, reason = "the picture is what the example is for")]

use std::io::Read;

fn main() -> std::io::Result<()> {
    let mut printed = String::new();
    std::io::stdin().read_to_string(&mut printed)?;
    println!("{}", anstyle_svg::Term::new().render_svg(&printed));
    Ok(())
}
