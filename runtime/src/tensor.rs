//! Tensors that a host owns and kernels can work on in place.
#![allow(unsafe_code, reason = "slices over shared pages; each block gives its reason")]

use std::{fmt, io, slice, sync::Arc};

use kernelpack_abi::{Element, Shape, TensorView, TensorViewMut};
use kernelpack_memory::SharedMemory;

use crate::{Error, ResourceError, bad_call::BadCall};

/// A contiguous, row-major tensor in memory that can be mapped into a sandbox.
///
/// Pass it to calls through [`view`](Self::view) and [`view_mut`](Self::view_mut), like any other tensor.
/// [`TypedKernel::bind`](crate::TypedKernel::bind) maps its memory into the kernel's, so that calls do not copy it. It
/// starts at a page boundary of 4 KiB (2 MiB for larger tensors) and shares its pages with nothing else.
///
/// If the system cannot provide such memory, for example because of its limits on file sizes or a process's mappings,
/// the tensor is on the heap and calls copy it. [`is_mappable`](Self::is_mappable) shows whether that happened, a
/// warning to `tracing` says why, and [`Bound::copied_bytes`](crate::Bound::copied_bytes) says how much is copied.
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
///
/// # Example: tensors that a kernel works on in place
/// ```no_run
/// use kernelpack_host::{Error, Pack, Tensor};
/// use kernelpack_kernels::swiglu_f32;
///
/// fn swiglu(pack: &Pack, gate: &Tensor<f32>, up: &Tensor<f32>, y: &mut Tensor<f32>) -> Result<(), Error> {
///     let kernel = pack.kernel::<swiglu_f32::Kernel>()?;
///     let mut bound = kernel.bind(swiglu_f32::Args::new(gate.view(), up.view(), y.view_mut()))?;
///     bound.call(swiglu_f32::Args::new(gate.view(), up.view(), y.view_mut()))
/// }
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
    /// Makes a tensor of zeros with these extents, outermost first.
    ///
    /// # Errors
    /// [`BadCall::Shape`] if the extents are not a valid shape; [`ResourceError::NoMemory`] if the machine lacks the
    /// memory.
    pub fn zeros(dims: &[usize]) -> Result<Self, Error> {
        let (shape, bytes) = measure::<T>(dims)?;
        match SharedMemory::zeros(bytes) {
            Ok(memory) => Ok(Self { memory: Memory::Shared(memory), shape, len: bytes / size_of::<T>() }),
            Err(error) => {
                // No warning on systems that never have such memory.
                if error.kind() != io::ErrorKind::Unsupported {
                    tracing::warn!(target: "kernelpack", bytes, %error, "a tensor is on the heap, so bindings copy it");
                }
                Self::on_heap(dims)
            }
        }
    }

    /// Like [`zeros`](Self::zeros), but on the heap, so that calls copy the tensor.
    ///
    /// # Errors
    /// As [`zeros`](Self::zeros).
    pub fn on_heap(dims: &[usize]) -> Result<Self, Error> {
        let (shape, bytes) = measure::<T>(dims)?;
        let len = bytes / size_of::<T>();
        let mut data = Vec::new();
        data.try_reserve_exact(len).map_err(|_| ResourceError::NoMemory { shape, dtype: T::DTYPE })?;
        data.resize_with(len, T::new_zeroed);
        Ok(Self { memory: Memory::Heap(data), shape, len })
    }

    /// Makes a tensor with these extents, outermost first, and copies these elements to it.
    ///
    /// # Errors
    /// As [`zeros`](Self::zeros), and [`BadCall::Shape`] if the number of elements does not match the extents.
    pub fn from_slice(data: &[T], dims: &[usize]) -> Result<Self, Error> {
        TensorView::new(data, dims).map_err(|error| BadCall::Shape { message: error.to_string() })?;
        let mut tensor = Self::zeros(dims)?;
        tensor.as_mut_slice().copy_from_slice(data);
        Ok(tensor)
    }

    /// Returns the tensor's extents.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Returns whether the tensor's memory can be mapped into a kernel.
    pub fn is_mappable(&self) -> bool {
        matches!(self.memory, Memory::Shared(_))
    }

    /// Returns the elements, row-major.
    #[inline]
    pub fn as_slice(&self) -> &[T] {
        match &self.memory {
            // SAFETY: the pages hold this many elements, which start at a multiple of the page size and are always
            // initialized; any bytes are an element. A kernel writes to them only during a call that was given a
            // mutable view, which borrows this tensor exclusively, so no such slice exists at that time.
            Memory::Shared(memory) => unsafe { slice::from_raw_parts(memory.address().cast().as_ptr(), self.len) },
            Memory::Heap(data) => data,
        }
    }

    /// Returns the elements, row-major and mutable.
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        match &mut self.memory {
            // SAFETY: as in `as_slice`; and the borrow of the tensor, which alone gives access to the pages, is
            // exclusive. Handles that bindings keep are used to map the pages only.
            Memory::Shared(memory) => unsafe { slice::from_raw_parts_mut(memory.address().cast().as_ptr(), self.len) },
            Memory::Heap(data) => data,
        }
    }

    /// Returns a view of the tensor, to pass it as an input.
    #[inline]
    pub fn view(&self) -> TensorView<'_, T> {
        TensorView::of_shape(self.as_slice(), self.shape)
    }

    /// Returns a mutable view of the tensor, to pass it as an output or in-out tensor.
    #[inline]
    pub fn view_mut(&mut self) -> TensorViewMut<'_, T> {
        let shape = self.shape;
        TensorViewMut::of_shape(self.as_mut_slice(), shape)
    }
}

/// Returns the shape with these extents, and the size in bytes of a tensor that has it.
fn measure<T: Element>(dims: &[usize]) -> Result<(Shape, usize), Error> {
    let shape = Shape::new(dims).map_err(|error| BadCall::Shape { message: error.to_string() })?;
    let bytes =
        usize::try_from(shape.bytes(T::DTYPE)).map_err(|_| ResourceError::NoMemory { shape, dtype: T::DTYPE })?;
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
