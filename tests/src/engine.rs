//! The engines that tests run on, and the macros that turn one body into a test on each of them.
//!
//! A body is a function of an [`Engine`]. A macro adds a module of the same name with a test for each engine, so that
//! `cargo test` shows which one failed.
//!
//! # Example: one body, three tests
//! ```ignore
//! // Not compiled here: there are tests only where a program of tests is compiled.
//! use kernelpack_tests::{apply, engine::Engine, on_each_engine};
//!
//! /// Runs as `the_engine_starts::wasmtime`, `the_engine_starts::wamr` and `the_engine_starts::wamr_aot`.
//! #[apply(on_each_engine)]
//! fn the_engine_starts(engine: Engine) {
//!     engine.builder().build().unwrap();
//! }
//! ```

mod packs;

use std::time::Duration;

use kernelpack_host::{
    Runtime, RuntimeBuilder,
    engine::{Execution, Interruption, Wamr, Wasmtime},
    error::KernelError,
};

use crate::key::key;

/// The size of WAMR's pool, which is per process: all tests of a program share it, and all runtimes must use the same
/// size. It has room for all of them at once; parts that no test touches take no memory.
pub const POOL: usize = 1 << 30;

/// An engine and the kind of code that it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Wasmtime.
    Wasmtime,
    /// WAMR, interpreting modules.
    Wamr,
    /// WAMR, running native code only.
    WamrAot,
}

impl Engine {
    /// Returns a runtime without trusted keys, with a server's settings on each engine.
    pub fn server(self) -> RuntimeBuilder {
        match self {
            Self::Wasmtime => Runtime::server(),
            Self::Wamr | Self::WamrAot => Runtime::builder(self.wamr()).max_budget(Duration::from_secs(10)),
        }
    }

    /// Returns WAMR, interpreting or running native code.
    ///
    /// # Panics
    /// On [`Engine::Wasmtime`].
    pub fn wamr(self) -> Wamr {
        let execution = match self {
            Self::Wasmtime => panic!("Wasmtime is not WAMR"),
            Self::Wamr => Execution::Interpreted,
            Self::WamrAot => Execution::Native,
        };
        Wamr::new().execution(execution).pool_bytes(POOL).stack_bytes(u32::MAX)
    }

    /// Like [`builder`](Self::builder), with this way of stopping calls.
    pub fn interrupted(self, way: Interruption) -> RuntimeBuilder {
        match self {
            Self::Wasmtime => self.builder().engine(Wasmtime::new().interruption(way)),
            Self::Wamr | Self::WamrAot => self.builder().engine(self.wamr().interruption(way)),
        }
    }

    /// Returns a runtime that trusts [`key`], with native code if that is what this engine runs.
    pub fn builder(self) -> RuntimeBuilder {
        let key = key().public();
        if self == Self::WamrAot { self.server().trust_native(key) } else { self.server().trust(key) }
    }

    /// Like [`builder`](Self::builder), but builds the runtime.
    ///
    /// # Panics
    /// The engine does not start.
    pub fn runtime(self) -> Runtime {
        self.builder().build().expect("the engine starts")
    }

    /// Returns the engine's name in manifests.
    pub fn name(self) -> &'static str {
        if self == Self::Wasmtime { "wasmtime" } else { "wamr" }
    }

    /// Returns whether the engine runs modules with SIMD. Packs for WAMR need modules without, even next to native code
    /// with SIMD.
    pub fn runs_simd(self) -> bool {
        self == Self::Wasmtime
    }

    /// Returns whether the engine maps tensors into bound calls; otherwise it copies them.
    pub fn maps_tensors(self) -> bool {
        self == Self::Wasmtime
    }

    /// Returns the ways in which the engine can stop calls, the best first.
    pub fn interruptions(self) -> &'static [Interruption] {
        match self {
            Self::Wasmtime => &[Interruption::PageProtection, Interruption::Epoch],
            Self::Wamr | Self::WamrAot => &[Interruption::Epoch],
        }
    }

    /// Returns the error for an access beyond memory at this address, which WAMR does not report.
    pub fn violation(self, offset: u32) -> KernelError {
        KernelError::MemoryAccessViolation { offset: if self == Self::Wasmtime { offset } else { 0 }, size: 0 }
    }

    /// Returns whether the last page that the guest counts is complete: on WAMR, the host grows memory only by what a
    /// call needs.
    pub fn has_whole_pages(self) -> bool {
        self == Self::Wasmtime
    }

    /// Returns whether failures have a backtrace; WAMR keeps none.
    pub fn keeps_backtraces(self) -> bool {
        self == Self::Wasmtime
    }

    /// Returns the number of rounds of a loop, reduced for the interpreter, which is fifty times slower.
    pub fn rounds(self, compiled: usize) -> usize {
        if self == Self::Wamr { compiled / 10 } else { compiled }
    }
}

/// Turns a function of an [`Engine`](crate::engine::Engine) into a test on each engine, including native code if there
/// is a compiler. Use it with [`apply`](crate::apply), see [`engine`](crate::engine).
#[macro_export]
macro_rules! on_each_engine {
    ($(#[$about:meta])* fn $name:ident($engine:ident: Engine) $body:block) => {
        $crate::on_both_engines! { $(#[$about])* fn $name($engine: Engine) $body ; wamr_aot WamrAot }
    };
}

/// Like `on_each_engine`, but without native code, for tests to which it adds nothing or which it cannot run.
#[macro_export]
macro_rules! on_both_engines {
    ($(#[$about:meta])* fn $name:ident($engine:ident: Engine) $body:block $(; $more:ident $More:ident)*) => {
        $(#[$about])*
        fn $name($engine: Engine) $body

        #[cfg(test)]
        mod $name {
            use $crate::engine::Engine;

            #[test]
            fn wasmtime() {
                super::$name(Engine::Wasmtime);
            }

            #[test]
            fn wamr() {
                super::$name(Engine::Wamr);
            }

            $(#[test]
            fn $more() {
                if Engine::$More.is_there() {
                    super::$name(Engine::$More);
                }
            })*
        }
    };
}
