//! Owned tensors.

use alloc::vec::Vec;

use crate::{Element, Shape, ShapeError, TensorView, TensorViewMut, ViewError};

/// An owned, contiguous, row-major tensor.
///
/// # Example: zeros, written and read
/// ```
/// use kernelpack_abi::TensorBuf;
///
/// let mut tensor = TensorBuf::<f32>::zeros(&[2, 3])?;
/// tensor.data_mut()[3] = 1.0;
/// assert_eq!(tensor.view().data(), [0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
/// # Ok::<(), kernelpack_abi::ShapeError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TensorBuf<T> {
    data: Vec<T>,
    shape: Shape,
}

impl<T: Element> TensorBuf<T> {
    /// Makes a tensor from these row-major elements and these extents.
    ///
    /// # Errors
    /// The same as [`TensorView::new`].
    ///
    /// # Example: two rows of three
    /// ```
    /// let tensor = kernelpack_abi::TensorBuf::new(vec![1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0], &[2, 3]).unwrap();
    /// assert_eq!(tensor.shape().dims(), [2, 3]);
    /// assert!(kernelpack_abi::TensorBuf::new(vec![1.0f32, 2.0], &[2, 3]).is_err());
    /// ```
    pub fn new(data: Vec<T>, dims: &[usize]) -> Result<Self, ViewError> {
        let shape = TensorView::new(&data, dims)?.shape();
        Ok(Self { data, shape })
    }

    /// Makes a tensor of zeros with these extents.
    ///
    /// # Errors
    /// The extents are not a [`Shape`].
    pub fn zeros(dims: &[usize]) -> Result<Self, ShapeError> {
        Ok(Self::zeros_of(Shape::new(dims)?))
    }

    /// Makes a tensor of zeros with this shape.
    pub fn zeros_of(shape: Shape) -> Self {
        Self { data: alloc::vec![T::new_zeroed(); shape.elements() as usize], shape }
    }

    /// Returns the elements, row-major.
    pub fn data(&self) -> &[T] {
        &self.data
    }

    /// Returns the elements, row-major and mutable.
    pub fn data_mut(&mut self) -> &mut [T] {
        &mut self.data
    }

    /// Returns the elements by value, row-major.
    pub fn into_data(self) -> Vec<T> {
        self.data
    }

    /// Returns the tensor's shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Returns a view of the tensor.
    pub fn view(&self) -> TensorView<'_, T> {
        TensorView::of_shape(&self.data, self.shape)
    }

    /// Returns a mutable view of the tensor.
    pub fn view_mut(&mut self) -> TensorViewMut<'_, T> {
        TensorViewMut::of_shape(&mut self.data, self.shape)
    }
}

impl<T: Element> TensorView<'_, T> {
    /// Copies the view to an owned tensor.
    pub fn to_buf(&self) -> TensorBuf<T> {
        TensorBuf { data: self.data().into(), shape: self.shape() }
    }
}
