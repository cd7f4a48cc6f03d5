//! Runs two kernels of a pack as a small device does, in a pool of fixed size, holds the results against the native
//! functions, and says what that took. Usage: `kernelpack-embedded PACK_DIR PUBLIC_KEY.pem`.

mod heap;
mod stack;
mod work;

use std::{env, fs, process::ExitCode};

use kernelpack_host::{EngineError, Error, PublicKey};

use crate::work::{Kernels, Work};

/// Pools are tried in steps of this, downwards.
const STEP: usize = 4 << 10;
/// The pool to begin with.
const MOST: usize = 256 << 10;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [dir, key] = arguments.as_slice() else {
        eprintln!("usage: kernelpack-embedded PACK_DIR PUBLIC_KEY.pem");
        return ExitCode::from(2);
    };
    match run(dir, key) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(dir: &str, key: &str) -> Result<(), Box<dyn std::error::Error>> {
    let key = PublicKey::from_pem(&fs::read_to_string(key)?)?;
    for kernels in Kernels::ALL {
        let work = Work { dir: dir.into(), key, kernels };
        let taken = stack::measured(move || work.least_pool())??;
        println!("{kernels}: {taken}");
    }
    Ok(())
}
