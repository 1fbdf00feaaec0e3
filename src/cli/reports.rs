//! `--report`: reports as files, and what GitHub Actions shows of a job.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::error::Failure;
use super::terminal::print_error;
use crate::files;
use crate::report::{Report, ReportFormat};

/// The report files of a command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Reporting")]
pub(super) struct ReportOptions {
    /// Also write a report to this file, replacing it; its extension sets the format: .html, .md, .csv, .json or .xml (JUnit). Can be
    /// repeated
    #[arg(long = "report", value_name = "FILE", value_parser = report_file)]
    files: Vec<ReportFile>,
}

/// A report file.
#[derive(Debug, Clone)]
struct ReportFile {
    path: PathBuf,
    format: ReportFormat,
}

/// Parses the path of a report: its extension names a format, and its folder exists.
fn report_file(text: &str) -> Result<ReportFile, String> {
    let path = PathBuf::from(text);
    let Some(format) = ReportFormat::from_path(&path) else {
        let known: Vec<String> = ReportFormat::BY_EXTENSION.iter().map(|(extension, _)| format!(".{extension}")).collect();
        return Err(format!("the format is not known; name a file that ends with one of {}", known.join(", ")));
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(format!("there is no folder \"{}\"", folder.display()));
    }
    if path.is_dir() {
        return Err("it is a folder".to_owned());
    }
    Ok(ReportFile { path, format })
}

impl ReportOptions {
    /// Returns the options as arguments for another working folder.
    pub(super) fn to_args(&self) -> Vec<String> {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string();
        self.files.iter().flat_map(|file| ["--report".to_owned(), absolute(&file.path)]).collect()
    }

    /// Writes the reports, each as a whole.
    pub(super) fn write(&self, report: &Report<'_>) -> Result<(), Failure> {
        for ReportFile { path, format } in &self.files {
            files::write_whole(path, report.to_format(*format).as_bytes())?;
        }
        Ok(())
    }
}

/// Shows a report in GitHub Actions, if the command runs there: annotations, and the summary of the step.
///
/// A summary that cannot be written is reported and is no failure: the job has done its work.
pub(super) fn show_in_github_actions(report: &Report<'_>) {
    if is_github_actions() {
        let lines: Vec<String> = report.annotations().iter().map(|annotation| format!("{annotation}\n")).collect();
        print_error(&lines.concat());
    }
    if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty())
        && let Err(error) = append(Path::new(&path), &report.to_markdown())
    {
        print_error(&format!("warning: cannot write the step summary \"{}\": {error}\n", Path::new(&path).display()));
    }
}

/// Returns whether the command runs in a job of GitHub Actions.
pub(super) fn is_github_actions() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

fn append(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(format!("{text}\n").as_bytes())
}
