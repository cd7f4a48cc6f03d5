//! Tensors whose element types are known only at run time.

use kernelpack_abi::{DType, Element, Shape, TensorBuf, TensorView, TensorViewMut};
use zerocopy::IntoBytes;

use crate::{BadCall, Error, Tensor};

/// A borrowed tensor whose element type is known only at run time.
///
/// # Example: an input of any element type
/// ```no_run
/// use kernelpack_host::{DynKernel, Error, abi::{DType, Shape}, tensor::DynView};
///
/// fn call(kernel: &DynKernel, dtype: DType, shape: Shape, bytes: &[u8]) -> Result<(), Error> {
///     for result in kernel.run(&[("x", DynView { dtype, shape, bytes })], &[])? {
///         println!("{}: {} {}", result.name, result.dtype, result.shape);
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DynView<'a> {
    /// The type of its elements.
    pub dtype: DType,
    /// Its extents; those of block types count blocks.
    pub shape: Shape,
    /// Its elements, row-major and little-endian.
    pub bytes: &'a [u8],
}

impl<'a, T: Element> From<TensorView<'a, T>> for DynView<'a> {
    fn from(view: TensorView<'a, T>) -> Self {
        Self { dtype: T::DTYPE, shape: view.shape(), bytes: view.data().as_bytes() }
    }
}

impl<'a, T: Element> From<&'a TensorBuf<T>> for DynView<'a> {
    fn from(tensor: &'a TensorBuf<T>) -> Self {
        tensor.view().into()
    }
}

impl<'a> From<&'a DynTensor> for DynView<'a> {
    fn from(tensor: &'a DynTensor) -> Self {
        Self { dtype: tensor.dtype, shape: tensor.shape, bytes: &tensor.bytes }
    }
}

impl<'a, T: Element> From<&'a Tensor<T>> for DynView<'a> {
    fn from(tensor: &'a Tensor<T>) -> Self {
        tensor.view().into()
    }
}

/// A mutably borrowed tensor whose element type is known only at run time.
///
/// # Example: an output that the caller owns
/// ```no_run
/// use kernelpack_host::{DynKernel, Error, abi::{DType, Shape}, tensor::DynViewMut};
///
/// fn call(kernel: &DynKernel, x: &[f32], bytes: &mut [u8]) -> Result<(), Error> {
///     let shape = Shape::new(&[x.len()])?;
///     let x = kernelpack_host::abi::view(x, [x.len()])?;
///     kernel.call(&[("x", x.into())], &mut [("y", DynViewMut { dtype: DType::F16, shape, bytes })], &[])
/// }
/// ```
#[derive(Debug)]
pub struct DynViewMut<'a> {
    /// The type of its elements.
    pub dtype: DType,
    /// Its extents; those of block types count blocks.
    pub shape: Shape,
    /// Its elements, row-major and little-endian.
    pub bytes: &'a mut [u8],
}

impl<'a, T: Element> From<TensorViewMut<'a, T>> for DynViewMut<'a> {
    fn from(view: TensorViewMut<'a, T>) -> Self {
        Self { dtype: T::DTYPE, shape: view.shape(), bytes: view.into_data().as_mut_bytes() }
    }
}

impl<'a, T: Element> From<&'a mut TensorBuf<T>> for DynViewMut<'a> {
    fn from(tensor: &'a mut TensorBuf<T>) -> Self {
        tensor.view_mut().into()
    }
}

impl<'a, T: Element> From<&'a mut Tensor<T>> for DynViewMut<'a> {
    fn from(tensor: &'a mut Tensor<T>) -> Self {
        tensor.view_mut().into()
    }
}

impl<'a> From<&'a mut DynTensor> for DynViewMut<'a> {
    fn from(tensor: &'a mut DynTensor) -> Self {
        Self { dtype: tensor.dtype, shape: tensor.shape, bytes: &mut tensor.bytes }
    }
}

/// An owned tensor whose element type is known only at run time.
///
/// # Example: the result of one kernel as the input of another
/// ```no_run
/// use kernelpack_host::{DynKernel, Error, Tensor};
///
/// fn chain(first: &DynKernel, second: &DynKernel, x: &Tensor<f32>) -> Result<Vec<f32>, Error> {
///     let results = first.run(&[("x", x.into())], &[])?;
///     let results = second.run(&[("x", (&results[0]).into())], &[])?;
///     results[0].to_vec()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DynTensor {
    /// The parameter's name.
    pub name: String,
    /// The type of its elements.
    pub dtype: DType,
    /// Its extents; those of block types count blocks.
    pub shape: Shape,
    /// Its elements, row-major and little-endian.
    pub bytes: Vec<u8>,
}

impl DynTensor {
    /// Makes a tensor with this name that holds a copy of `view`.
    pub fn from_view<T: Element>(name: impl Into<String>, view: TensorView<'_, T>) -> Self {
        Self { name: name.into(), dtype: T::DTYPE, shape: view.shape(), bytes: view.data().as_bytes().to_vec() }
    }

    /// The elements, row-major.
    ///
    /// # Errors
    /// [`BadCall::ElementType`] if the tensor holds elements of another type.
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>, Error> {
        if self.dtype != T::DTYPE {
            let (name, expected, actual) = (self.name.clone(), T::DTYPE, self.dtype);
            return Err(BadCall::ElementType { name, expected, actual }.into());
        }
        let elements = self.bytes.chunks_exact(size_of::<T>()).map(T::read_from_bytes);
        elements
            .collect::<Result<_, _>>()
            .map_err(|_| Error::Internal("the size of an element is not that of its type"))
    }
}
