//! Runs two kernels of a pack as a small device does, in a pool of fixed size, holds the results against the native
//! functions, and says what that took. Usage: `kernelpack-embedded FOLDER`, as `device-pack` wrote it.

mod heap;
mod pages;
mod stack;
mod work;

use std::{env, fs, path::Path, process::ExitCode};

use kernelpack_host::{PublicKey, engine::Execution};

use crate::work::{Files, Kernel, Result, SHAPE, Taken};

/// The pool that is tried first.
const MOST: usize = 512 << 10;
/// Pools are tried in steps of this, downwards.
const STEP: usize = 1 << 10;
/// What a kernel may take in all as native code: the specification has everything at run time within 256 KB.
const BAR: usize = 256 << 10;

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
    drop(files);

    let (ran, calling) = stack::measured(|| work::run(dir, kernel, key, execution, MOST))?;
    ran?;
    // Of the pools that suffice, the one with which it takes least: a file that finds no room there is on the heap.
    let pools = (1..=MOST / STEP).rev().map(|steps| steps * STEP);
    let enough = pools.map_while(|pool| Some((pool, work::run(dir, kernel, key, execution, pool).ok()?)));
    let least = enough.min_by_key(|(pool, taken)| pool + taken.heap + taken.pages);
    let (pool, Taken { heap, open, pages }) = least.ok_or("no pool suffices")?;
    // Most of the pools were too small at some point of loading or calling.
    if pages::held() > 0 {
        return Err(format!("{} bytes of pages were not given back", pages::held()).into());
    }

    let [rows, columns] = SHAPE;
    let id = kernel.id();
    let total = pool + heap + calling + pages;
    println!("{id} {rows}x{columns} on {}, {execution:?}: equal to the function itself", env::consts::ARCH);
    println!("  in all         {total:>7} bytes, of");
    println!("  pool           {pool:>7} bytes suffice, for files, code, linear memory and the interpreter's stack");
    println!("  host's heap    {heap:>7} bytes at most to open and call, {open} once open");
    println!("  native stack   {calling:>7} bytes to open and call");
    println!("  pages of code  {pages:>7} bytes{}", if pages::COUNTED { "" } else { ", not counted here" });
    println!("  verification   {verifying:>7} bytes of stack and {allocated} of heap in place");
    if execution == Execution::Native && total > BAR {
        return Err(format!("{id} as native code takes {total} bytes in all, more than {BAR}").into());
    }
    Ok(())
}
