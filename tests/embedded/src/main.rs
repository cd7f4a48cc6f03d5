//! Runs two kernels of a pack as a small device does, in a pool of fixed size, holds the results against the native
//! functions, and says what that took. Usage: `kernelpack-embedded FOLDER`, as `device-pack` wrote it.

mod heap;
mod stack;
mod work;

use std::{env, fs, path::Path, process::ExitCode};

use kernelpack_host::{Execution, PublicKey};

use crate::work::{Files, Kernel, Result, SHAPE};

/// The pool that is tried first.
const MOST: usize = 512 << 10;
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
    for kernel in Kernel::ALL {
        let dir = &folder.join(kernel.id());
        measure(dir, kernel, key, Execution::Interpreted)?;
        if work::has_native(dir)? {
            measure(dir, kernel, key, Execution::Native)?;
        } else {
            println!("LEFT OUT: {} as native code, which `device-pack` had no compiler for", kernel.id());
        }
    }
    Ok(())
}

fn measure(dir: &Path, kernel: Kernel, key: PublicKey, execution: Execution) -> Result<()> {
    let files = Files::read(dir, kernel, &key)?;
    let before = heap::held();
    heap::most();
    let (verified, verifying) = stack::measured(|| files.verify(kernel, &key))?;
    verified?;
    let allocated = heap::most() - before;

    let (ran, calling) = stack::measured(|| work::run(dir, kernel, key, execution, MOST))?;
    let heap = ran?;
    // The last that is large enough.
    let pools = (1..=MOST / STEP).rev().map(|steps| steps * STEP);
    let pool = pools.take_while(|pool| work::run(dir, kernel, key, execution, *pool).is_ok()).last().unwrap_or(MOST);

    let [rows, columns] = SHAPE;
    let id = kernel.id();
    println!("{id} {rows}x{columns} on {}, {execution:?}: equal to the function itself", env::consts::ARCH);
    println!("  pool           {pool:>7} bytes suffice, for module, linear memory and a stack of 32 KiB");
    println!("  native stack   {calling:>7} bytes to open and call");
    println!("  host's heap    {:>7} bytes at most to open, {} once open", heap.opening, heap.open);
    println!("  verification   {verifying:>7} bytes of stack and {allocated} of heap in place");
    Ok(())
}
