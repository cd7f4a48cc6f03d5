//! Runs two kernels of a pack as a small device does, in a pool of fixed size, holds the results against the native
//! functions, and says what that took. Usage: `kernelpack-embedded FOLDER`, as `device-pack` wrote it.

mod heap;
mod stack;
mod work;

use std::{env, fs, path::Path, process::ExitCode};

use kernelpack_host::PublicKey;

use crate::work::{Files, Result, SHAPE};

/// What everything together may take at run time.
const BAR: usize = 1024 << 10;
/// Pools are tried in steps of this, downwards.
const STEP: usize = 4 << 10;

fn main() -> ExitCode {
    let Some(folder) = env::args_os().nth(1) else {
        eprintln!("usage: kernelpack-embedded FOLDER");
        return ExitCode::from(2);
    };
    match run(Path::new(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(folder: &Path) -> Result<()> {
    let key = PublicKey::from_pem(&fs::read_to_string(folder.join("release.pub"))?)?;
    let dir = folder.join("pack");
    let files = Files::read(&dir)?;
    let before = heap::held();
    heap::most();
    let (verified, verifying) = stack::measured(|| work::verify(&files, &key))?;
    verified?;
    let allocated = heap::most() - before;

    let (ran, calling) = stack::measured(|| work::run(&dir, key, BAR))?;
    let heap = ran?;
    // The last that is large enough, if not all are.
    let pools = (1..=BAR / STEP).rev().map(|steps| steps * STEP);
    let pool = pools.take_while(|pool| work::run(&dir, key, *pool).is_ok()).last().unwrap_or(BAR);

    let [rows, columns] = SHAPE;
    println!("rmsnorm_f32 and kv_pack_q8, {rows}x{columns}, on {}: as the native functions", env::consts::ARCH);
    println!("pool            {pool:>8} bytes suffice, the stack of each instance and linear memory included");
    println!("native stack    {calling:>8} bytes for opening and calls, {verifying} for verification in place");
    println!("host's heap     {:>8} bytes at most while opening, {} later", heap.opening, heap.calling);
    println!("verification    {allocated:>8} bytes of heap in place");
    Ok(())
}
