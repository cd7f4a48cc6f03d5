//! The engines that tests run on, and the macros that make of one body a test on each of them.
//!
//! A body is a function of an [`Engine`]; beside it, a macro makes a module of its name with a test for each engine, so
//! that `cargo test` tells which one failed.
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

/// Bytes of WAMR's pool, which is the process's: all tests of a program share it, and all runtimes must name one size. It
/// is room for them side by side; what none of them touches takes no memory.
pub const POOL: usize = 1 << 30;

/// An engine and what it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Wasmtime.
    Wasmtime,
    /// WAMR, which interprets modules.
    Wamr,
    /// WAMR, which runs native code and nothing else.
    WamrAot,
}

impl Engine {
    /// A runtime that trusts nobody yet, and gives kernels on each engine what a server's runtime gives them.
    pub fn server(self) -> RuntimeBuilder {
        match self {
            Self::Wasmtime => Runtime::server(),
            Self::Wamr | Self::WamrAot => Runtime::builder(self.wamr()).max_budget(Duration::from_secs(10)),
        }
    }

    /// WAMR, which interprets or runs native code.
    ///
    /// # Panics
    /// This is Wasmtime.
    pub fn wamr(self) -> Wamr {
        let execution = match self {
            Self::Wasmtime => panic!("Wasmtime is not WAMR"),
            Self::Wamr => Execution::Interpreted,
            Self::WamrAot => Execution::Native,
        };
        Wamr::new().execution(execution).pool_bytes(POOL).stack_bytes(u32::MAX)
    }

    /// Like [`builder`](Self::builder), for a runtime that stops calls in this way.
    pub fn interrupted(self, way: Interruption) -> RuntimeBuilder {
        match self {
            Self::Wasmtime => self.builder().engine(Wasmtime::new().interruption(way)),
            Self::Wamr | Self::WamrAot => self.builder().engine(self.wamr().interruption(way)),
        }
    }

    /// A runtime that trusts [`key`], with native code, too, where that is what runs.
    pub fn builder(self) -> RuntimeBuilder {
        let key = key().public();
        if self == Self::WamrAot { self.server().trust_native(key) } else { self.server().trust(key) }
    }

    /// The same, built.
    ///
    /// # Panics
    /// The engine does not start.
    pub fn runtime(self) -> Runtime {
        self.builder().build().expect("the engine starts")
    }

    /// The name by which manifests know it.
    pub fn name(self) -> &'static str {
        if self == Self::Wasmtime { "wasmtime" } else { "wamr" }
    }

    /// Whether modules with SIMD are taken: packs for WAMR must have others, even beside native code with SIMD.
    pub fn runs_simd(self) -> bool {
        self == Self::Wasmtime
    }

    /// Whether tensors are mapped into bound calls; else they are copied.
    pub fn maps_tensors(self) -> bool {
        self == Self::Wasmtime
    }

    /// The ways in which its calls are stopped, the best first.
    pub fn interruptions(self) -> &'static [Interruption] {
        match self {
            Self::Wasmtime => &[Interruption::PageProtection, Interruption::Epoch],
            Self::Wamr | Self::WamrAot => &[Interruption::Epoch],
        }
    }

    /// What an access beyond memory at this address is: WAMR does not tell where it was.
    pub fn violation(self, offset: u32) -> KernelError {
        KernelError::MemoryAccessViolation { offset: if self == Self::Wasmtime { offset } else { 0 }, size: 0 }
    }

    /// Whether all is there of the last page that the guest counts: WAMR's host grows memory by what a call needs.
    pub fn has_whole_pages(self) -> bool {
        self == Self::Wasmtime
    }

    /// Whether a failure comes with the guest's functions: WAMR keeps no account of calls.
    pub fn keeps_backtraces(self) -> bool {
        self == Self::Wasmtime
    }

    /// So many rounds of what takes the interpreter fifty times as long as others, or fewer, so that tests end soon.
    pub fn rounds(self, compiled: usize) -> usize {
        if self == Self::Wamr { compiled / 10 } else { compiled }
    }
}

/// Makes of a function of an [`Engine`](crate::engine::Engine) a test on each engine, native code included where there is a
/// compiler. For use with [`apply`](crate::apply), see [`engine`](crate::engine).
#[macro_export]
macro_rules! on_each_engine {
    ($(#[$about:meta])* fn $name:ident($engine:ident: Engine) $body:block) => {
        $crate::on_both_engines! { $(#[$about])* fn $name($engine: Engine) $body ; wamr_aot WamrAot }
    };
}

/// The same without native code: for what native code says nothing new of, or cannot be made of.
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
