//! Whether kernels read or write tensors.

/// Whether a kernel reads or writes a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Role {
    /// The kernel reads it.
    In = 1,
    /// The kernel writes all of it.
    Out = 2,
    /// The kernel reads and writes it.
    InOut = 3,
    /// Working space that the host provides and does not read afterwards; its initial content is unspecified.
    Scratch = 4,
}

impl Role {
    /// Every role, in the order of its codes.
    pub const ALL: [Self; 4] = [Self::In, Self::Out, Self::InOut, Self::Scratch];

    /// Returns the role with this code.
    pub const fn from_code(code: u8) -> Option<Self> {
        if code == 0 || code as usize > Self::ALL.len() { None } else { Some(Self::ALL[code as usize - 1]) }
    }

    /// Returns whether the kernel may write to such a tensor.
    pub const fn writes(self) -> bool {
        !matches!(self, Self::In)
    }

    /// Returns the role's name, for messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::In => "input",
            Self::Out => "output",
            Self::InOut => "in-out tensor",
            Self::Scratch => "scratch tensor",
        }
    }
}
