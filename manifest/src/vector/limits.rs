//! The folder and the limits of health vectors.

/// The folder of a pack that contains its health vectors.
pub const HEALTH_FOLDER: &str = "health";
/// The file extension of health vectors.
pub const VECTOR_SUFFIX: &str = ".safetensors";
/// The most health vectors that one kernel may have.
pub const MAX_VECTORS: usize = 16;
/// The most bytes that one vector's file may have.
pub const MAX_HEALTH_BYTES: usize = 4 << 20;
/// The most bytes in total of a pack's vectors, which hosts keep in memory.
pub const MAX_PACK_HEALTH_BYTES: usize = 32 << 20;
