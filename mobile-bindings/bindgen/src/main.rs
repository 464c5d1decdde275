//! `merestone-bindgen`: writes the foreign code of the crossing from the library that was built of it.

mod check;
mod generate;
mod surface;
mod swift_cancel;

use std::io::Write as _;
use std::process::ExitCode;

use camino::Utf8PathBuf;
use clap::{Parser, Subcommand, ValueEnum};

/// Writes the foreign code of the crossing from the library that was built of it.
///
/// The library must still have its symbols: the interface stands in them.
#[derive(Parser)]
#[command(name = "merestone-bindgen", version, arg_required_else_help = true)]
struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Write the code of one language.
    Generate {
        /// `libmerestone_ffi.so`, `.dylib` or `.a`, not stripped.
        library: Utf8PathBuf,
        /// The language.
        #[arg(long, value_enum)]
        language: Language,
        /// The folder to write into; made if it is not there.
        #[arg(long, value_name = "DIR")]
        out: Utf8PathBuf,
    },
    /// Refuse a library for Android or Linux that some devices cannot load, or that exports what is not the crossing's.
    Check {
        /// `libmerestone_ffi.so`, once for each processor.
        #[arg(required = true)]
        libraries: Vec<Utf8PathBuf>,
    },
    /// Print every name an app can write, in the words of one language: what is committed as `surface.txt`.
    Surface {
        /// `libmerestone_ffi.so`, `.dylib` or `.a`, not stripped.
        library: Utf8PathBuf,
        /// The language.
        #[arg(long, value_enum)]
        language: Language,
    },
}

/// The languages that apps and scripts are written in.
#[derive(Clone, Copy, ValueEnum)]
enum Language {
    Kotlin,
    Swift,
    Python,
}

fn main() -> ExitCode {
    let result = match Command::parse().verb {
        Verb::Generate { library, language, out } => generate::generate(&library, language, &out),
        Verb::Check { libraries } => libraries.iter().try_for_each(|of| print(&check::check(of)?)),
        Verb::Surface { library, language } => surface::surface(&library, language).and_then(|text| print(&text)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("merestone-bindgen: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print(text: &str) -> Result<(), String> {
    std::io::stdout().write_all(text.as_bytes()).map_err(|cause| format!("cannot print: {cause}"))
}
