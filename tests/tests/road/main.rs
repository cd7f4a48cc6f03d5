//! The whole road, from an annotated function to a typed result, and everything that may lie in wait on it.

mod core_kernels;
mod evil_kernels;
mod evil_modules;
mod features;
mod hostile_calls;
mod hostile_files;
mod hostile_guests;
mod hostile_modules;
mod native;
mod newcomer;
mod round_trip;
mod smith;
mod wat_kernel;
