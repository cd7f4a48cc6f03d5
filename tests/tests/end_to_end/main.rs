//! Everything from an annotated function to a typed result, and every attack on the way, on each engine that takes
//! part.

mod batch;
mod broken_engine;
mod compile_cache;
mod compile_cost;
mod core_kernels;
mod evil_kernels;
mod evil_modules;
mod features;
mod health;
mod hostile_calls;
mod hostile_files;
mod hostile_guests;
mod hostile_modules;
mod native;
mod newcomer;
mod recovery;
mod references;
mod round_trip;
mod scalar;
mod sizes;
mod smith;
mod traps;
mod trust;
mod wat_kernel;
