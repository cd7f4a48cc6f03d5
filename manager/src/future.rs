//! Calls of the active pack's kernel that return futures, with the `async` feature.

use kernelpack_abi::{Infer, Kernel, ParamValue, Pass};
use kernelpack_runtime::{DynKernel, DynTensor, Error, TypedKernel};

use crate::Followed;

impl<K: Kernel> Followed<TypedKernel<K>> {
    /// Calls the kernel of the pack that is active now, like [`TypedKernel::call_async`].
    pub fn call_async<T, F>(
        &self,
        tensors: T,
        args: F,
    ) -> impl Future<Output = (T, Result<(), Error>)> + Send + use<K, T, F>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut T) -> K::Args<'a> + Send + 'static,
    {
        self.current().call_async(tensors, args)
    }

    /// Runs the kernel of the pack that is active now, like [`TypedKernel::run_async`].
    pub fn run_async<T, F>(
        &self,
        tensors: T,
        inputs: F,
    ) -> impl Future<Output = (T, Result<K::Outputs, Error>)> + Send + use<K, T, F>
    where
        K: Infer<Outputs: Send>,
        T: Send + 'static,
        F: for<'a> FnOnce(&'a T) -> K::Inputs<'a> + Send + 'static,
    {
        self.current().run_async(tensors, inputs)
    }

    /// Runs the backward pass of the kernel of the pack that is active now, like [`TypedKernel::backward_async`].
    pub fn backward_async<T, F>(
        &self,
        tensors: T,
        args: F,
    ) -> impl Future<Output = (T, Result<(), Error>)> + Send + use<K, T, F>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut T) -> <K::Backward as Pass>::Args<'a> + Send + 'static,
    {
        self.current().backward_async(tensors, args)
    }
}

impl Followed<DynKernel> {
    /// Runs the kernel of the pack that is active now, like [`DynKernel::run_async`].
    pub fn run_async(
        &self,
        inputs: Vec<DynTensor>,
        params: Vec<(String, ParamValue)>,
    ) -> impl Future<Output = (Vec<DynTensor>, Result<Vec<DynTensor>, Error>)> + Send + use<> {
        self.current().run_async(inputs, params)
    }

    /// Calls the kernel of the pack that is active now, like [`DynKernel::call_async`].
    pub fn call_async(
        &self,
        inputs: Vec<DynTensor>,
        outputs: Vec<DynTensor>,
        params: Vec<(String, ParamValue)>,
    ) -> impl Future<Output = (Vec<DynTensor>, Vec<DynTensor>, Result<(), Error>)> + Send + use<> {
        self.current().call_async(inputs, outputs, params)
    }

    /// Runs the backward pass of the kernel of the pack that is active now, like [`DynKernel::backward_async`].
    pub fn backward_async(
        &self,
        inputs: Vec<DynTensor>,
        params: Vec<(String, ParamValue)>,
    ) -> impl Future<Output = (Vec<DynTensor>, Result<Vec<DynTensor>, Error>)> + Send + use<> {
        self.current().backward_async(inputs, params)
    }
}
