//! The machines that modules are compiled for, in terms of LLVM and WAMR.

use kernelpack_manifest::{AOT_CHECKS, AotTarget};

const OPT_LEVEL: u32 = 3;
const SIZE_LEVEL: u32 = 3;

/// LLVM's and WAMR's names for a target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine {
    pub(crate) arch: &'static str,
    pub(crate) abi: &'static str,
    pub(crate) cpu: &'static str,
    pub(crate) features: &'static str,
}

impl Machine {
    pub(crate) fn of(target: AotTarget) -> Self {
        let (arch, abi, cpu, features) = match target {
            // WAMR's SIMD needs at least SSE4.1.
            AotTarget::X86_64 => ("x86_64", "gnu", "x86-64-v2", ""),
            AotTarget::Aarch64 => ("aarch64v8", "gnu", "generic", "+neon"),
            AotTarget::Thumbv7em => ("thumbv7em", "eabihf", "cortex-m4", ""),
            // Without NEON, which flushes subnormal numbers to zero.
            AotTarget::Thumbv7 => ("thumbv7", "gnueabihf", "generic", "+vfp3d16,-neon"),
            target => unreachable!("{target} is known to the manifest and not here"),
        };
        Self { arch, abi, cpu, features }
    }

    pub(crate) fn options(&self) -> Vec<String> {
        let checks = AOT_CHECKS.into_iter().chain(["aux-stack-checks"]).map(str::to_owned);
        let levels =
            [format!("cpu={}", self.cpu), format!("opt-level={OPT_LEVEL}"), format!("size-level={SIZE_LEVEL}")];
        checks.chain(levels).collect()
    }

    pub(crate) fn levels(&self) -> (u32, u32) {
        (OPT_LEVEL, SIZE_LEVEL)
    }
}
