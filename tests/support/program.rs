//! The real binary in a working folder, between two sandboxes of the test, and a terminal for it.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use auth0_migrate::sandbox::Sandbox;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::support::request_recording::recording;

/// The state folder beside a configuration; it is hidden because tests do not look into it.
pub(crate) const STATE_HOME: &str = ".state";
/// The pager of all tests except those of the pager: one that waits for a key would wait forever.
pub(crate) const NO_PAGER: &str = "cat";

/// Writes a configuration of both tenants, in which dev is the source of prod, and all changes of prod are approved.
pub(crate) fn configure(folder: &Path, dev: &Sandbox, prod: &Sandbox) {
    let tenant = |name: &str, sandbox: &Sandbox| {
        format!("[tenants.{name}]\ndomain = \"{}\"\nurl = \"{}\"\n", sandbox.state().domain(), sandbox.url())
    };
    let configuration =
        tenant("dev", dev) + &tenant("prod", prod) + "source = \"dev\"\nplan.approve = [\"lockout-risk\", \"weaker-protection\"]\n";
    std::fs::write(folder.join("migrate.toml"), configuration).expect("written");
}

/// A terminal, with the side that a person types and reads at.
pub(crate) struct Terminal(OwnedFd);

impl Terminal {
    pub(crate) fn open() -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&terminal).and_then(|()| unlockpt(&terminal)).expect("unlocked");
        Self(terminal)
    }

    pub(crate) fn of_columns(self, columns: u16) -> Self {
        tcsetwinsize(&self.0, Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).expect("of that size");
        self
    }

    /// Returns the program's side of the terminal.
    pub(crate) fn end(&self) -> Stdio {
        let name = ptsname(&self.0, Vec::new()).expect("its name");
        rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("opened").into()
    }

    /// Types a text; `\x03` is Ctrl-C.
    pub(crate) fn type_keys(&self, keys: &str) {
        assert_eq!(rustix::io::write(&self.0, keys.as_bytes()), Ok(keys.len()));
    }

    /// Waits until a program shows this text; returns all output up to it since the last call.
    ///
    /// # Panics
    ///
    /// If the program ends without showing it.
    pub(crate) fn shown_until(&self, text: &str) -> String {
        let mut shown = Vec::new();
        while !String::from_utf8_lossy(&shown).contains(text) {
            // Byte by byte, so that nothing after it is consumed.
            let mut next = [0];
            let read = rustix::io::read(&self.0, &mut next);
            assert_eq!(read, Ok(1), "\"{text}\" is not in:\n{}", String::from_utf8_lossy(&shown));
            shown.extend(next);
        }
        String::from_utf8(shown).expect("text").replace("\r\n", "\n")
    }

    /// Reads what programs show until something else is so, since one that nobody reads waits.
    pub(crate) fn read_until(&self, mut is_so: impl FnMut() -> bool) {
        let moment = Timespec { tv_sec: 0, tv_nsec: 1_000_000 };
        while !is_so() {
            if poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&moment)) == Ok(1) {
                assert!(rustix::io::read(&self.0, &mut [0; 4096]).is_ok(), "the programs ended before");
            }
        }
    }

    /// Returns the remaining output, once no program has the terminal open.
    pub(crate) fn shown(self) -> String {
        let mut shown = Vec::new();
        // Reading fails when the last of them has closed it.
        let _ = File::from(self.0).read_to_end(&mut shown);
        String::from_utf8(shown).expect("text").replace("\r\n", "\n")
    }
}

/// Returns a terminal as the standard input of a program.
pub(crate) fn keyboard() -> Stdio {
    static TERMINAL: OnceLock<Terminal> = OnceLock::new();
    TERMINAL.get_or_init(Terminal::open).end()
}

/// Returns a command line, with words separated by single spaces, that is typed at a terminal and signs in as `id` with
/// `secret`.
pub(crate) fn command(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_migrate"));
    recording(command.args(line.split(' ')).current_dir(folder).env_clear()).stdin(keyboard());
    command.env("XDG_STATE_HOME", folder.join(STATE_HOME)).env("PAGER", NO_PAGER);
    for tenant in ["DEV", "PROD"] {
        command.env(format!("MIGRATE_{tenant}_CLIENT_ID"), "id").env(format!("MIGRATE_{tenant}_CLIENT_SECRET"), "secret");
    }
    command
}
