//! Detects the WebAssembly features of an engine by trying modules.

use wasmtime::{Engine, Module};

/// Modules that are valid only with a feature, by the name that manifests use. Features that kernels may not use are
/// included, so that their absence is detected too.
const PROBES: [(&str, &[u8]); 15] = [
    (
        "bulk-memory",
        b"\0asm\x01\0\0\0\x01\x04\x01`\0\0\x03\x02\x01\0\x05\x03\x01\0\x01\x0a\x0d\x01\x0b\0A\0A\0A\0\xfc\x0b\0\x0b",
    ),
    ("exceptions", b"\0asm\x01\0\0\0\x01\x04\x01`\0\0\x0d\x03\x01\0\0"),
    ("extended-const", b"\0asm\x01\0\0\0\x06\x09\x01\x7f\0A\x01A\x01j\x0b"),
    ("gc", b"\0asm\x01\0\0\0\x01\x03\x01_\0"),
    ("memory64", b"\0asm\x01\0\0\0\x05\x03\x01\x04\x01"),
    ("multi-memory", b"\0asm\x01\0\0\0\x05\x05\x02\0\x01\0\x01"),
    ("multi-value", b"\0asm\x01\0\0\0\x01\x06\x01`\0\x02\x7f\x7f\x03\x02\x01\0\x0a\x08\x01\x06\0A\0A\0\x0b"),
    ("mutable-global", b"\0asm\x01\0\0\0\x06\x06\x01\x7f\x01A\0\x0b\x07\x05\x01\x01g\x03\0"),
    ("reference-types", b"\0asm\x01\0\0\0\x04\x07\x02p\0\x01p\0\x01"),
    (
        "relaxed-simd",
        b"\0asm\x01\0\0\0\x01\x06\x01`\x01{\x01{\x03\x02\x01\0\x0a\x0d\x01\x0b\0\x20\0\x20\0\x20\0\xfd\x85\x02\x0b",
    ),
    (
        "saturating-float-to-int",
        b"\0asm\x01\0\0\0\x01\x05\x01`\0\x01\x7f\x03\x02\x01\0\x0a\x0b\x01\x09\0C\0\0\0\0\xfc\0\x0b",
    ),
    ("sign-extension", b"\0asm\x01\0\0\0\x01\x05\x01`\0\x01\x7f\x03\x02\x01\0\x0a\x07\x01\x05\0A\0\xc0\x0b"),
    ("simd", b"\0asm\x01\0\0\0\x01\x06\x01`\x01{\x01{\x03\x02\x01\0\x0a\x09\x01\x07\0\x20\0\xfd\xe1\x01\x0b"),
    ("tail-call", b"\0asm\x01\0\0\0\x01\x04\x01`\0\0\x03\x02\x01\0\x0a\x06\x01\x04\0\x12\0\x0b"),
    ("threads", b"\0asm\x01\0\0\0\x05\x04\x01\x03\x01\x01"),
];

/// Returns the features that the engine supports, sorted.
///
/// # Errors
/// The engine accepts SIMD but cannot compile it for this machine's processor.
pub(super) fn detect(engine: &Engine) -> wasmtime::Result<Vec<&'static str>> {
    let taken = |probe: &&(_, &[u8])| Module::validate(engine, probe.1).is_ok();
    let taken: Vec<_> = PROBES.iter().filter(taken).collect();
    // Accepting a module says nothing about the processor; compiling it does.
    for (_, probe) in taken.iter().filter(|(name, _)| name.ends_with("simd")) {
        Module::from_binary(engine, probe)?;
    }
    Ok(taken.iter().map(|(name, _)| *name).collect())
}

#[cfg(test)]
mod tests;
