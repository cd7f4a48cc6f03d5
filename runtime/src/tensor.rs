//! Tensors that a host owns and kernels can work on in place.
#![allow(unsafe_code, reason = "slices over shared pages; the reasons stand at the blocks")]

use std::{fmt, io, slice, sync::Arc};

use kernelpack_abi::{Element, Shape, TensorView, TensorViewMut};
use kernelpack_memory::SharedMemory;

use crate::{EngineError, Error, bad_call::BadCall};

/// A contiguous, row-major tensor in memory that can be mapped into a sandbox.
///
/// It is used like any other: [`view`](Self::view) and [`view_mut`](Self::view_mut) give what calls take. What is special
/// shows in [`TypedKernel::bind`](crate::TypedKernel::bind), which maps the memory of such a tensor into the kernel's
/// instead of copying it at each call. It starts at the start of a page of 4 KiB (2 MiB for larger ones) and has its pages
/// to itself. Where the system has no more memory of that kind, by its limits of a file's size or of a process's mappings,
/// it lives on the heap, and calls copy: [`is_mappable`](Self::is_mappable) tells, a warning to `tracing` says why, and
/// [`Bound::copied_bytes`](crate::Bound::copied_bytes) how much.
///
/// # Example: memory that the host reads and writes between calls
/// ```
/// use kernelpack_host::Tensor;
///
/// # fn main() -> Result<(), kernelpack_host::Error> {
/// let mut x = Tensor::<f32>::zeros(&[2, 3])?;
/// x.as_mut_slice()[4] = 1.5;
/// assert_eq!(x.as_slice(), [0.0, 0.0, 0.0, 0.0, 1.5, 0.0]);
/// assert_eq!(x.shape().to_string(), "2x3");
/// # Ok(())
/// # }
/// ```
pub struct Tensor<T> {
    memory: Memory<T>,
    shape: Shape,
    len: usize,
}

enum Memory<T> {
    Shared(Arc<SharedMemory>),
    Heap(Vec<T>),
}

impl<T: Element> Tensor<T> {
    /// A tensor of zeros with these extents, outermost first.
    ///
    /// # Errors
    /// [`BadCall::Shape`] if the extents are not a shape; [`EngineError::NoMemory`] if the machine has no memory for it.
    pub fn zeros(dims: &[usize]) -> Result<Self, Error> {
        let (shape, bytes) = measure::<T>(dims)?;
        match SharedMemory::zeros(bytes) {
            Ok(memory) => Ok(Self { memory: Memory::Shared(memory), shape, len: bytes / size_of::<T>() }),
            Err(error) => {
                // Where no system has such memory, nobody waits for it.
                if error.kind() != io::ErrorKind::Unsupported {
                    tracing::warn!(target: "kernelpack", bytes, %error, "a tensor is on the heap, so bindings copy it");
                }
                Self::on_heap(dims)
            }
        }
    }

    /// The same on the heap, which calls copy from and to.
    ///
    /// # Errors
    /// As [`zeros`](Self::zeros).
    pub fn on_heap(dims: &[usize]) -> Result<Self, Error> {
        let (shape, bytes) = measure::<T>(dims)?;
        let len = bytes / size_of::<T>();
        let mut data = Vec::new();
        data.try_reserve_exact(len).map_err(|_| EngineError::NoMemory { shape, dtype: T::DTYPE })?;
        data.resize_with(len, T::new_zeroed);
        Ok(Self { memory: Memory::Heap(data), shape, len })
    }

    /// A copy of these elements with these extents, outermost first.
    ///
    /// # Errors
    /// As [`zeros`](Self::zeros); or [`BadCall::Shape`] if there are more or fewer elements than the extents make.
    pub fn from_slice(data: &[T], dims: &[usize]) -> Result<Self, Error> {
        TensorView::new(data, dims).map_err(|error| BadCall::Shape { message: error.to_string() })?;
        let mut tensor = Self::zeros(dims)?;
        tensor.as_mut_slice().copy_from_slice(data);
        Ok(tensor)
    }

    /// The extents.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Whether its memory can be mapped.
    pub fn is_mappable(&self) -> bool {
        matches!(self.memory, Memory::Shared(_))
    }

    /// The elements, row-major.
    #[inline]
    pub fn as_slice(&self) -> &[T] {
        match &self.memory {
            // SAFETY: the pages hold this many elements, which start at a multiple of the page size and are always
            // initialized; any bytes are an element. A kernel writes to them only during a call that was given a
            // mutable view, which borrows this tensor exclusively, so that no such slice exists meanwhile.
            Memory::Shared(memory) => unsafe { slice::from_raw_parts(memory.address().cast().as_ptr(), self.len) },
            Memory::Heap(data) => data,
        }
    }

    /// The elements, row-major.
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        match &mut self.memory {
            // SAFETY: as in `as_slice`; and the borrow of the tensor, which alone gives access to the pages, is
            // exclusive. Handles that bindings keep are used to map the pages only.
            Memory::Shared(memory) => unsafe { slice::from_raw_parts_mut(memory.address().cast().as_ptr(), self.len) },
            Memory::Heap(data) => data,
        }
    }

    /// The tensor as an input.
    #[inline]
    pub fn view(&self) -> TensorView<'_, T> {
        TensorView::of_shape(self.as_slice(), self.shape)
    }

    /// The tensor as an output or in-out tensor.
    #[inline]
    pub fn view_mut(&mut self) -> TensorViewMut<'_, T> {
        let shape = self.shape;
        TensorViewMut::of_shape(self.as_mut_slice(), shape)
    }
}

/// A shape, and the bytes of a tensor that has it.
fn measure<T: Element>(dims: &[usize]) -> Result<(Shape, usize), Error> {
    let shape = Shape::new(dims).map_err(|error| BadCall::Shape { message: error.to_string() })?;
    let bytes = usize::try_from(shape.bytes(T::DTYPE)).map_err(|_| EngineError::NoMemory { shape, dtype: T::DTYPE })?;
    Ok((shape, bytes))
}

impl<T: Element> fmt::Debug for Tensor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mappable = self.is_mappable();
        f.debug_struct("Tensor")
            .field("dtype", &T::DTYPE)
            .field("shape", &self.shape)
            .field("mappable", &mappable)
            .finish()
    }
}
