//! The machines that modules are compiled for.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A machine that modules are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AotTarget {
    /// `x86_64`: 64-bit x86 at the level x86-64-v2, which includes SSE4.2.
    X86_64,
    /// `aarch64`: 64-bit Arm, version 8.0 with NEON.
    Aarch64,
    /// `thumbv7em`: Cortex-M4 and M7 with a floating-point unit for f32, hard-float ABI.
    Thumbv7em,
    /// `thumbv7`: 32-bit Arm version 7 with VFPv3-D16 in Thumb-2 code, hard-float ABI, like Debian's armhf.
    Thumbv7,
}

impl AotTarget {
    /// Every target.
    pub const ALL: [Self; 4] = [Self::X86_64, Self::Aarch64, Self::Thumbv7em, Self::Thumbv7];

    /// Returns the name that manifests use.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
            Self::Thumbv7em => "thumbv7em",
            Self::Thumbv7 => "thumbv7",
        }
    }

    /// Returns whether code for this target can use WebAssembly's `simd128`.
    pub fn has_simd(self) -> bool {
        matches!(self, Self::X86_64 | Self::Aarch64)
    }

    /// Returns the target of the machine that this program runs on, if it is a supported one.
    ///
    /// An x86 machine older than x86-64-v2 has none: code for [`X86_64`](Self::X86_64) would crash there on an unknown
    /// instruction.
    pub fn of_this_machine() -> Option<Self> {
        if cfg!(target_arch = "x86_64") {
            is_x86_64_v2().then_some(Self::X86_64)
        } else if cfg!(target_arch = "aarch64") {
            Some(Self::Aarch64)
        } else if cfg!(all(target_arch = "arm", target_os = "none")) {
            Some(Self::Thumbv7em)
        } else if cfg!(target_arch = "arm") {
            Some(Self::Thumbv7)
        } else {
            None
        }
    }
}

/// Returns whether the processor has everything that x86-64-v2 adds to the baseline.
#[cfg(target_arch = "x86_64")]
fn is_x86_64_v2() -> bool {
    is_x86_feature_detected!("cmpxchg16b")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("sse3")
        && is_x86_feature_detected!("ssse3")
        && is_x86_feature_detected!("sse4.1")
        && is_x86_feature_detected!("sse4.2")
}

#[cfg(not(target_arch = "x86_64"))]
fn is_x86_64_v2() -> bool {
    false
}

/// The reason why a text is not an [`AotTarget`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a target; choose x86_64, aarch64, thumbv7em or thumbv7")]
pub struct AotTargetError {
    /// The text.
    pub text: String,
}

impl FromStr for AotTarget {
    type Err = AotTargetError;

    fn from_str(text: &str) -> Result<Self, AotTargetError> {
        Self::ALL
            .into_iter()
            .find(|target| target.name() == text)
            .ok_or_else(|| AotTargetError { text: text.to_owned() })
    }
}

impl fmt::Display for AotTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for AotTarget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for AotTarget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
