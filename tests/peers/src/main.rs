//! Measures Kernelpack beside other ways to run the same function in a sandbox.
//!
//! One process, one function (`kernelpack_kernels::rmsnorm_f32`), compiled with the same flags for each. Every peer
//! must give the native result before it is timed, and all take turns. `README.md` says what is compared and where it
//! is unfair.
#![forbid(unsafe_code)]

mod guest;
mod machine;
mod measure;
mod pack;
mod peer;
mod peers;
mod plot;
mod report;
mod row;

use std::{error::Error, fs, path::PathBuf, process::ExitCode};

use clap::Parser;

use crate::{
    machine::Machine,
    measure::{Budget, measure},
    peers::Workshop,
    report::Figures,
    row::Row,
};

/// Floats per row: two sizes at which the overhead dominates, a usual one, and one that exceeds the inner caches.
const DIMS: [usize; 4] = [16, 64, 4096, 262_144];

/// Measures Kernelpack beside other ways to run the same function in a sandbox.
#[derive(Debug, Parser)]
#[command(name = "bench-peers")]
struct Args {
    /// Print one JSON object a line instead of a table: the machine and the versions, then each peer at each size
    #[arg(long)]
    json: bool,
    /// Only show that everything runs; no figures to quote
    #[arg(long)]
    quick: bool,
    /// Write results.md and results.svg to this folder
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let workshop = Workshop::new()?;
    let machine = Machine::new();
    let budget = if args.quick { Budget::QUICK } else { Budget::FULL };
    let mut all = Vec::new();
    for dim in DIMS {
        eprintln!("measuring rows of {dim} floats");
        let row = Row::new(dim);
        let mut peers = workshop.peers(&row)?;
        for peer in &mut peers {
            let name = peer.name();
            let answer = peer.answer().map_err(|error| format!("{name}: {error}"))?;
            row.check(&answer).map_err(|error| format!("{name}: {error}"))?;
        }
        let samples = measure(budget, &mut peers)?;
        all.extend(peers.iter().zip(samples).map(|(peer, samples)| Figures::new(&**peer, dim, samples)));
    }
    Figures::compare(&mut all);

    if args.json {
        println!("{}", serde_json::to_string(&machine)?);
        for figures in &all {
            println!("{}", serde_json::to_string(figures)?);
        }
    } else {
        print!("{}", report::markdown(&machine, &all));
    }
    if let Some(folder) = &args.write {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("results.md"), report::markdown(&machine, &all))?;
        plot::draw(&folder.join("results.svg"), &machine, &all)?;
    }
    Ok(())
}
