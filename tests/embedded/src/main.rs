//! Runs two kernels of a pack as a small device does, in a pool of fixed size, compares the results with the native
//! functions, and reports the memory used. Usage: `kernelpack-embedded FOLDER`, with a folder that `device-pack` wrote.

mod heap;
mod pages;
mod stack;
mod work;

use std::{env, fs, path::Path, process::ExitCode};

use kernelpack_host::{PublicKey, engine::Execution};

use crate::work::{Files, Kernel, Result, SHAPE, Taken};

/// The size of the pool that is tried first.
const MOST: usize = 512 << 10;
/// Smaller pools are tried in steps of this size.
const STEP: usize = 1 << 10;
/// The limit for a kernel as native code: the specification requires that everything at run time fits into 256 KB.
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
    // Of the pools that suffice, takes the one with the smallest total: a file that does not fit into the pool is on
    // the heap instead, so the smallest pool need not be the best.
    let pools = (1..=MOST / STEP).rev().map(|steps| steps * STEP);
    let enough = pools.map_while(|pool| Some((pool, work::run(dir, kernel, key, execution, pool).ok()?)));
    let least = enough.min_by_key(|(pool, taken)| pool + taken.heap + taken.pages);
    let (pool, Taken { heap, open, pages }) = least.ok_or("no pool suffices")?;
    // Most pools are too small for some step of loading or calling, and such an attempt must unmap everything.
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
