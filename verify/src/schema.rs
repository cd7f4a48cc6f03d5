//! The schema of manifests, and its limits.

/// The value of `$schema`.
pub const SCHEMA: &str = "https://kernelpack.dev/schemas/kernel-pack-v1.json";
/// The most bytes a manifest may have.
pub const MAX_MANIFEST_BYTES: usize = 4 << 20;
/// The most kernels a pack may have.
pub const MAX_KERNELS: usize = 1024;
